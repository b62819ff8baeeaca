"""How fast rules are evaluated, beside other expression languages in the same run; and what the commands take.

    make bench-rules        (DDBMIG_CORPUS for the last figure)

5,000 made-up relationships meet 100 rules: the built-in ones on relationships, and copies of them with other
thresholds. Each relationship gets its ledger, findings and verdict, as `ddbmig analyze` makes them. The peers answer
only whether each rule fires, on a part of the relationships, and must give the same answers. All figures are CPU time.
"""

import ast
import fnmatch
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cel
import celpy.adapter
import simpleeval

from ddbmig.engine.facts import BY_PHASE, FactDefinition
from ddbmig.engine.rule import Rule, written
from ddbmig.engine.rulebook import Rulebook, load_rules
from ddbmig.engine.scoring import assess
from ddbmig.engine.wording import Facts
from ddbmig.model.assessment import EvidenceSource, Fact, FactValue, Relationship
from ddbmig.packs import recommended

SEED = 20261125
RELATIONSHIPS, RULES, FOR_PEERS = 5_000, 100, 40
RUNS = 5
MISSING = 0.15
"""Share of the facts that may be missing and are."""
LIMITS = {"assess": 3.0, "help": 0.150, "check": 3.0}
"""Seconds of CPU time."""
INPUTS = {"--schema": "schema.sql", "--slow-log": "slow.log.gz", "--general-log": "general.log.gz",
          "--data": "data.sql.gz"}  # fmt: skip
Answers = list[list[bool]]


@dataclass(frozen=True)
class Figure:
    """One measured time and its limit in seconds, 0 where there is none."""

    name: str
    seconds: float
    limit: float = 0.0

    @property
    def held(self) -> bool:
        """Whether it is within the limit."""
        return not self.limit or self.seconds < self.limit

    def __str__(self) -> str:
        limit = f"  (limit {self.limit:g} s{'' if self.held else ', BROKEN'})" if self.limit else ""
        return f"{self.name:58}{self.seconds:9.3f} s{limit}"


def main() -> int:
    """0 where every limit was held."""
    print(f"seed {SEED}, {RELATIONSHIPS:,} relationships × {RULES} rules")
    rules = a_hundred_rules()
    relationships = list(made_up_facts(random.Random(SEED)))
    figures = [evaluate_all(rules, relationships)]
    print(figures[0])
    compare(rules, [values_of(facts) for facts in relationships[:FOR_PEERS]])
    figures += [command("ddbmig --help", ["--help"], LIMITS["help"]), *check_oscar()]
    return not all(figure.held for figure in figures)


# --- what is evaluated -----------------------------------------------------------------------------------------------


def a_hundred_rules() -> tuple[Rule, ...]:
    """The built-in rules on relationships, again and again with other thresholds."""
    own = load_rules([recommended()]).of("relationship")
    found: list[Rule] = []
    for turn in range(RULES):
        for rule in own:
            factor = 1 + turn / 10
            params = {n: v * factor if isinstance(v, int | float) else v for n, v in rule.params.items()}
            found.append(replace(rule, id=f"{rule.id}{turn or ''}", params=params))
    return tuple(sorted(found[:RULES], key=lambda rule: rule.id))


def made_up_facts(chance: random.Random) -> Iterator[dict[str, Fact]]:
    """The facts of each relationship; shares anywhere, other numbers over several powers of ten."""
    for _ in range(RELATIONSHIPS):
        yield {
            name: Fact(value=value(fact, chance), unit=fact.unit, source="measured", origin="made up")
            for name, fact in BY_PHASE["relationship"].items()
        }


def value(fact: FactDefinition, chance: random.Random) -> FactValue | None:
    """A value of a fact's type, or None where it may be missing and is."""
    if fact.may_be_missing and chance.random() < MISSING:
        return None
    if fact.kind == "bool":
        return chance.random() < 0.3
    if fact.kind == "text":
        return chance.choice(fact.values or ("orders", "order_lines", "customers"))
    if fact.kind == "list":
        return tuple(chance.sample(("name", "title", "price", "isbn"), chance.randint(0, 3)))
    return chance.random() if fact.unit == "share" else round(10 ** chance.uniform(-1, 5), 2)


def values_of(facts: Mapping[str, Fact]) -> dict[str, FactValue | None]:
    """The bare values."""
    return {name: fact.value for name, fact in facts.items()}


def evaluate_all(rules: tuple[Rule, ...], relationships: Sequence[Mapping[str, Fact]]) -> Figure:
    """Ledger, findings and verdict of every relationship."""
    rulebook = Rulebook(rules)
    subject = Relationship(
        id="a.b->c.d", child="a", child_columns=("b",), parent="c", parent_columns=("d",), cardinality="1:N",
        evidence=(EvidenceSource(kind="declared", detail="made up"),),
    )  # fmt: skip
    begin, fired = time.process_time(), 0
    for facts in relationships:
        fired += len(assess(rulebook, subject, facts).ledger)
    seconds = time.process_time() - begin
    rate = len(relationships) * len(rules) / seconds
    print(f"{rate:,.0f} rules a second, with {fired:,} lines of evidence")
    return Figure("assess, CPU", seconds, LIMITS["assess"])


# --- the peers -------------------------------------------------------------------------------------------------------


def compare(rules: Sequence[Rule], facts: Sequence[dict[str, FactValue | None]]) -> None:
    """Ours and each peer on the same rules and facts: rules a second, and how many times as fast ours is."""
    peers: dict[str, Callable[[Sequence[Rule], Sequence[Facts]], tuple[float, Answers]]] = {
        "ours": ours, "simpleeval": with_simpleeval, "cel-python": with_celpy, "common-expression-language": with_cel,
    }  # fmt: skip
    print(f"\nwhether each rule fires, {len(facts)} relationships × {len(rules)} rules:")
    measured = {name: peer(rules, facts) for name, peer in peers.items()}
    for name, (seconds, answers) in measured.items():
        if answers != measured["ours"][1]:
            raise SystemExit(f"{name} answers otherwise than ours: the comparison would be worth nothing")
        rate, ratio = len(facts) * len(rules) / seconds, seconds / measured["ours"][0]
        print(f"  {name:28}{rate:12,.0f} rules a second  {'' if name == 'ours' else f'ours is {ratio:,.1f}× as fast'}")
    print()


def timed(answer: Callable[[], Answers]) -> tuple[float, Answers]:
    """The median CPU time of some runs, and the answers."""
    seconds, answers = [], list[list[bool]]()
    for _ in range(3):
        begin = time.process_time()
        answers = answer()
        seconds.append(time.process_time() - begin)
    return statistics.median(seconds), answers


def ours(rules: Sequence[Rule], facts: Sequence[Facts]) -> tuple[float, Answers]:
    """Compiled closures, no evidence."""
    return timed(lambda: [[rule.when.test(rule.with_params(given)) for rule in rules] for given in facts])


def with_simpleeval(rules: Sequence[Rule], facts: Sequence[Facts]) -> tuple[float, Answers]:
    """Python's syntax, parsed once, walked anew each time."""
    functions = {"default": lambda x, v: v if x is None else x, "is_set": lambda x: x is not None, "count": len,
                 "like": fnmatch.fnmatchcase}  # fmt: skip
    evaluator = simpleeval.SimpleEval(functions=functions)
    texts = [Translation(rule, "python").text for rule in rules]
    trees = [evaluator.parse(text) for text in texts]
    named = [{flat(name): given for name, given in one.items()} for one in facts]

    def answers() -> Answers:
        found = []
        for names in named:
            evaluator.names = names
            found.append([bool(evaluator.eval(t, tree)) for t, tree in zip(texts, trees, strict=True)])
        return found

    return timed(answers)


def with_celpy(rules: Sequence[Rule], facts: Sequence[Facts]) -> tuple[float, Answers]:
    """CEL in pure Python, compiled once."""
    environment = celpy.Environment()
    programs = [environment.program(environment.compile(Translation(rule, "cel").text)) for rule in rules]
    activations = [{name: celpy.adapter.json_to_cel(part) for name, part in nested(one).items()} for one in facts]
    return timed(lambda: [[bool(program.evaluate(a)) for program in programs] for a in activations])


def with_cel(rules: Sequence[Rule], facts: Sequence[Facts]) -> tuple[float, Answers]:
    """CEL in Rust, compiled once."""
    programs = [cel.compile(Translation(rule, "cel").text) for rule in rules]
    activations = [nested(one) for one in facts]
    return timed(lambda: [[bool(program.execute(a)) for program in programs] for a in activations])


def flat(name: str) -> str:
    """`reads.joint_share` as a plain name."""
    return name.replace(".", "__")


def nested(facts: Facts) -> dict[str, Any]:
    """`{"reads": {"joint_share": 0.7}}`; what is missing is left out, and every number is a double."""
    found: dict[str, dict[str, Any]] = {}
    for name, given in facts.items():
        head, _, tail = name.partition(".")
        part = found.setdefault(head, {})
        if isinstance(given, tuple):
            part[tail] = list(given)
        elif given is not None:
            part[tail] = float(given) if isinstance(given, int) and not isinstance(given, bool) else given
    return found


class Translation:
    """A rule's conditions as one expression of Python or of CEL, its params written out."""

    def __init__(self, rule: Rule, language: str) -> None:
        self.rule, self.cel = rule, language == "cel"
        self.text = self.group(written(rule.when))

    def group(self, when: Any) -> str:
        if isinstance(when, str):
            return f"({self.node(ast.parse(when, mode='eval').body)})"
        ((kind, items),) = when.items()
        parts = [self.group(item) for item in items]
        if kind == "not":
            return f"{'!' if self.cel else 'not '}({parts[0]})"
        return f"({self.joined(kind == 'all', parts)})"

    def joined(self, both: bool, parts: Sequence[str]) -> str:
        signs = ("&&", "||") if self.cel else ("and", "or")
        return f" {signs[not both]} ".join(parts)

    def node(self, node: ast.expr) -> str:
        match node:
            case ast.BoolOp():
                return f"({self.joined(isinstance(node.op, ast.And), [self.node(value) for value in node.values])})"
            case ast.UnaryOp(op=ast.Not()):
                return f"{'!' if self.cel else 'not '}({self.node(node.operand)})"
            case ast.Compare(left=left, ops=[sign], comparators=[right]) | ast.BinOp(left=left, op=sign, right=right):
                return f"({self.node(left)} {SIGNS[type(sign)]} {self.node(right)})"
            case ast.Call():
                return self.call(node)
            case ast.Constant():
                return self.literal(node.value)
        return self.name(ast.unparse(node))

    def call(self, node: ast.Call) -> str:
        name, arguments = ast.unparse(node.func), [self.node(argument) for argument in node.args]
        if not self.cel:
            return f"{name}({', '.join(arguments)})"
        if name == "is_set":
            return f"has({arguments[0]})"
        if name == "default":
            return f"(has({arguments[0]}) ? {arguments[0]} : {arguments[1]})"
        if name == "count":
            return f"double(size({arguments[0]}))"
        raise SystemExit(f"no translation of {ast.unparse(node)}")

    def name(self, name: str) -> str:
        if name.startswith("params."):
            return self.literal(self.rule.params[name.removeprefix("params.")])
        if name in ("true", "false"):
            return self.literal(name == "true")
        return name if self.cel else flat(name)

    def literal(self, given: object) -> str:
        if isinstance(given, bool):
            return str(given).lower() if self.cel else str(given)
        return repr(float(given)) if isinstance(given, int | float) else repr(given)


SIGNS: dict[type[ast.AST], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.In: "in",
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/",
}  # fmt: skip


# --- the commands ----------------------------------------------------------------------------------------------------


def command(name: str, words: Sequence[str], limit: float) -> Figure:
    """The median CPU time of a command over some runs, after one that is not counted."""
    program = str(Path(sys.executable).with_name("ddbmig"))
    seconds = []
    for _ in range(RUNS + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([program, *words], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    figure = Figure(f"{name}, CPU, median of {RUNS}", statistics.median(seconds[1:]), limit)
    print(figure)
    return figure


def check_oscar() -> list[Figure]:
    """The gate on a recorded application, from a saved snapshot and the schema; nothing where it is not here."""
    corpus = Path(os.environ.get("DDBMIG_CORPUS") or Path.cwd().parent / "shared" / "data")
    folder = corpus / "workloads" / "oscar_mysql97"
    if not folder.is_dir():
        print("SKIPPED: ddbmig check on oscar_mysql97, which is not here (set DDBMIG_CORPUS)")
        return []
    with tempfile.TemporaryDirectory() as out:
        inputs = [word for option, name in INPUTS.items() for word in (option, str(folder / name))]
        program = str(Path(sys.executable).with_name("ddbmig"))
        subprocess.run([program, "analyze", *inputs, "--out", out], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)  # fmt: skip
        saved = ["--snapshot", f"{out}/snapshot.json", "--schema", str(folder / "schema.sql")]
        words = ["check", *saved, "--out", f"{out}/none"]
        return [command("ddbmig check on oscar_mysql97 from a snapshot", words, LIMITS["check"])]


if __name__ == "__main__":
    sys.exit(main())
