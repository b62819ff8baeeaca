"""The UpdateExpression of a write: SET and REMOVE of the attributes that hold the assigned columns."""

from dataclasses import dataclass

from ddbmig.model.condition import Arithmetic, Call, ColumnRef, Constant, Term
from ddbmig.model.contract import ContractAttribute
from ddbmig.model.design import TableDesign
from ddbmig.model.pattern import Assignment
from ddbmig.model.plan import WriteCall, in_place
from ddbmig.reporters.expressions import Expressions
from ddbmig.reporters.plan_values import Values, composed
from ddbmig.reporters.read_expressions import plain_attribute


@dataclass(frozen=True)
class Update:
    """One UpdateItem: its call, its table, and the values and expressions that it adds to."""

    call: WriteCall
    table: TableDesign
    values: Values
    expressions: Expressions

    def text(self) -> str:
        """The expression. NULL is an absent attribute."""
        sets, removed = [], []
        for given in self.call.sets:
            if given.value == Constant(value=None):
                removed += [self._name(given.column), *map(self.expressions.name, self._prefixed(given.column))]
            else:
                sets.append(f"{self._name(given.column)} = {self._new_value(given)}")
                sets += [f"{self.expressions.name(key)} = {self._text_key(key, attribute, given)}"
                         for key, attribute in self._prefixed(given.column).items()]  # fmt: skip
        parts = [f"SET {', '.join(sets)}" if sets else "", f"REMOVE {', '.join(removed)}" if removed else ""]
        return " ".join(part for part in parts if part)

    def may_be_absent(self) -> tuple[str, ...]:
        """The columns that DynamoDB refuses to compute where the item lacks an operand; MySQL's NULL stays NULL."""
        return tuple(given.column for given in self.call.sets if self._needs_a_value(given.value))

    def _name(self, column: str) -> str:
        """The attribute that holds a column; an assignment to a copy names the attribute itself."""
        return self.expressions.name(plain_attribute(self.table, column) or column)

    def _prefixed(self, column: str) -> dict[str, ContractAttribute]:
        """The key attributes that hold a text behind a prefix; an update never changes a key of several columns."""
        same = column.lower()
        return {
            name: attribute
            for name, attribute in self.table.attributes.items()
            if attribute.template is not None and attribute.source_column.lower() == same
        }

    def _text_key(self, key: str, attribute: ContractAttribute, given: Assignment) -> str:
        value = self.values.term(given.value, given.column, self.table.source_table)
        return self.expressions.value(composed(attribute.template or "", {attribute.source_column: value}), key)

    def _new_value(self, given: Assignment) -> str:
        """A value that DynamoDB computes from the item's attributes where it can, else one that the client computes."""
        if in_place(given.value, self.call.ref):
            return self._computed(given.value, given.column)
        return self._value(given.value, given.column)

    def _value(self, term: Term, column: str) -> str:
        return self.expressions.value(self.values.term(term, column, self.table.source_table), column)

    def _computed(self, term: Term, column: str) -> str:
        match term:
            case ColumnRef():
                return self._name(term.column)
            case Arithmetic():
                return f"{self._computed(term.left, column)} {term.op} {self._computed(term.right, column)}"
            case Call():
                return f"if_not_exists({', '.join(self._computed(one, column) for one in term.arguments)})"
            case _:
                return self._value(term, column)

    def _needs_a_value(self, term: Term) -> bool:
        """Whether DynamoDB computes a term with an attribute that may be absent."""
        if isinstance(term, ColumnRef):
            return self.values.may_be_null(term)
        operands = (term.left, term.right) if isinstance(term, Arithmetic) else ()
        return in_place(term, self.call.ref) and any(map(self._needs_a_value, operands))
