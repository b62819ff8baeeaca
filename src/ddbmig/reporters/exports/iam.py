"""IAM: a managed policy for each access pattern that allows the calls of its plan and nothing else.

What a policy allows is an action on the ARN of one table or GSI. A transaction has no action of its own: it needs those
of its writes (AWS documentation, "IAM with DynamoDB transactions"). Three conditions narrow that where they are right:

- `dynamodb:Attributes` for a read with a projection, and for every write: the attributes that the call names.
- `dynamodb:EnclosingOperation` for the items that keep a unique key, which are written in transactions only.
- `dynamodb:Select` and `dynamodb:ReturnValues`, so that no other attributes come back.

`dynamodb:LeadingKeys` is never right: the keys of a plan come from parameters, which no policy knows, and a partition
key with one value for all items holds all of them.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ddbmig.model.condition import ColumnRef, walk
from ddbmig.model.design import TableDesign
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan, ReadCall, Transaction, WriteCall, in_place
from ddbmig.reporters.exports.cloudformation import Template, check_size, logical_ids, yaml_template
from ddbmig.reporters.exports.material import Material, Structure
from ddbmig.reporters.markdown import visible
from ddbmig.reporters.read_expressions import filters, plain_attribute, projected

LONGEST_POLICY = 6_144
"""Characters of a managed policy, white space apart (AWS documentation, "IAM and AWS STS quotas")."""
LONGEST_ARN = "arn:aws-us-gov:dynamodb:ap-southeast-1:123456789012:"
LONGEST_TITLE = 200
Statement = dict[str, Any]


@dataclass(frozen=True)
class Grant:
    """One action on one table or GSI. `attributes`: those that the call may name; None: all."""

    action: str
    on: Structure
    attributes: frozenset[str] | None = None
    transactional: bool = False
    """Inside of TransactWriteItems only."""

    def joined(self, other: "Grant") -> "Grant":
        """What both allow, for the same action on the same table or GSI."""
        both = None if self.attributes is None or other.attributes is None else self.attributes | other.attributes
        return replace(self, attributes=both, transactional=self.transactional and other.transactional)


def iam(material: Material) -> str:
    """A CloudFormation template of the policies, as YAML. Raises UsageError where it would have too many."""
    patterns = {one.id: one for one in material.snapshot.patterns}
    policies = dict[str, Template]()
    plans = [plan for plan in material.alternative.plans if not plan.routed and plan.pattern in patterns]
    for plan in plans:
        pattern = patterns[plan.pattern]
        title = visible(pattern.name)[:LONGEST_TITLE] or pattern.id
        parts = packed(statements(grants(material, pattern, plan)))
        for number, part in enumerate(parts, 1):
            key = f"{title} {number}" if len(parts) > 1 else title
            policies[f"{pattern.id}/{number}"] = _policy(f"{key} ({pattern.id})", part)
    names = {key: one["Properties"]["Description"] for key, one in policies.items()}
    ids = logical_ids(names.values(), ending="Policy")
    resources = {ids[names[key]]: one for key, one in policies.items()}
    check_size(resources, "migrate in parts: see scope in ddbmig.yaml")
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"IAM policies of the design {material.origin.alternative}, one for each access pattern",
        "Metadata": {"ddbmig": material.origin.data()},
        "Resources": resources,
    }
    return yaml_template(template, material.origin)


# --- what a plan needs ---


def grants(material: Material, pattern: AccessPattern, plan: Plan) -> tuple[Grant, ...]:
    """What the calls of a plan need: each action on each table or GSI once, in order of their names."""
    tables = {table.name: table for table in material.alternative.tables}
    found = dict[tuple[str, Structure], Grant]()
    for grant in _needed(material, pattern, plan, tables):
        key = (grant.action, grant.on)
        found[key] = found[key].joined(grant) if key in found else grant
    return tuple(sorted(found.values(), key=lambda one: (one.on[0], one.on[1] or "", one.action)))


def _needed(
    material: Material, pattern: AccessPattern, plan: Plan, tables: dict[str, TableDesign]
) -> Iterator[Grant]:  # fmt: skip
    for step in plan.steps:
        if isinstance(step, ReadCall):
            named = _read(material, pattern, plan, step, tables[step.table])
            yield Grant(step.op, (step.table, step.index), named)
        elif isinstance(step, WriteCall | Transaction):
            for write in step.writes if isinstance(step, Transaction) else (step,):
                table = tables[write.table]
                alone = isinstance(step, WriteCall) or table.role != "lookup"
                yield Grant(write.op, (table.name, None), _written(write, table), transactional=not alone)


def _read(
    material: Material, pattern: AccessPattern, plan: Plan, call: ReadCall, table: TableDesign
) -> frozenset[str] | None:  # fmt: skip
    """The attributes that a read names: its projection, its keys and its filter; None where it asks for all."""
    asked = projected(pattern, plan, call, table)
    if not asked:
        return None
    checked = (one.left for one in filters(plan, call, table, material.snapshot.tables))
    columns = (one.column for one in checked if isinstance(one, ColumnRef))
    index = table.index(call.index).keys if call.index is not None else ()
    keyed = (part.attribute for part in call.key)
    return frozenset((*asked, *table.keys, *index, *keyed, *(_attribute(table, column) for column in columns)))


def _written(call: WriteCall, table: TableDesign) -> frozenset[str]:
    """The attributes that a write names: of an update those that it changes, computes with or checks."""
    if call.op == "PutItem":
        return frozenset(table.attributes)
    found = {*table.keys, *(_attribute(table, column) for column in call.unchanged or ())}
    for given in call.sets if call.op == "UpdateItem" else ():
        column = given.column.lower()
        composed = {key: one for key, one in table.attributes.items() if one.template is not None}
        found.add(_attribute(table, given.column))
        found |= {key for key, one in composed.items() if one.source_column.lower() == column}
        if in_place(given.value, call.ref):
            found |= {_attribute(table, one.column) for one in walk(given.value) if isinstance(one, ColumnRef)}
    return frozenset(found)


def _attribute(table: TableDesign, column: str) -> str:
    return plain_attribute(table, column) or column


# --- policies ---


def statements(found: Iterable[Grant]) -> list[Statement]:
    """One statement for each set of conditions on a table or GSI."""
    grouped = dict[tuple[Structure, str], tuple[list[str], Statement]]()
    for grant in found:
        condition = _condition(grant)
        key = (grant.on, json.dumps(condition, sort_keys=True))
        grouped.setdefault(key, ([], condition))[0].append(f"dynamodb:{grant.action}")
    return [
        {"Effect": "Allow", "Action": actions, "Resource": _arn(on), **({"Condition": condition} if condition else {})}
        for (on, _), (actions, condition) in grouped.items()
    ]


def _condition(grant: Grant) -> Statement:
    found = Statement()
    if grant.attributes is not None:
        names = [name.replace("${", "${$}{") for name in sorted(grant.attributes)]
        found["ForAllValues:StringEquals"] = {"dynamodb:Attributes": names}
        written = grant.action in ("PutItem", "UpdateItem", "DeleteItem")
        found["StringEqualsIfExists"] = (
            {"dynamodb:ReturnValues": "NONE"} if written else {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}
        )
    if grant.transactional:
        found["ForAnyValue:StringEquals"] = {"dynamodb:EnclosingOperation": ["TransactWriteItems"]}
    return found


def _arn(on: Structure) -> Statement:
    """The ARN in the Region and account of the stack. Names of tables and GSIs are letters, digits and `_.-`."""
    table, index = on
    path = f"table/{table}" if index is None else f"table/{table}/index/{index}"
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:{path}"}


def packed(found: Sequence[Statement]) -> list[list[Statement]]:
    """The statements in as few documents, in their order, as are within the size of a policy.

    A statement that is too long by itself goes without the names of its attributes.
    """
    parts: list[list[Statement]] = [[]]
    for statement in map(_short, found):
        if parts[-1] and size([*parts[-1], statement]) > LONGEST_POLICY:
            parts.append([])
        parts[-1].append(statement)
    return parts


def _short(statement: Statement) -> Statement:
    if size([statement]) <= LONGEST_POLICY:
        return statement
    kept = {key: one for key, one in statement["Condition"].items() if key != "ForAllValues:StringEquals"}
    return {key: one for key, one in statement.items() if key != "Condition"} | ({"Condition": kept} if kept else {})


def size(part: Sequence[Statement]) -> int:
    """Characters of a document as IAM counts them, with the longest Region and partition; blanks in names count."""
    shown = [statement | {"Resource": LONGEST_ARN + statement["Resource"]["Fn::Sub"].split(":")[-1]}
             for statement in part]  # fmt: skip
    return len(json.dumps(_document(shown), separators=(",", ":")))


def _document(part: Sequence[Statement]) -> Statement:
    return {"Version": "2012-10-17", "Statement": list(part)}


def _policy(description: str, part: Sequence[Statement]) -> Template:
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"Description": description, "PolicyDocument": _document(part)},
    }
