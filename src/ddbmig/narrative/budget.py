"""What asking costs: tokens and money, bounded before each call and counted after it."""

from dataclasses import dataclass
from decimal import Decimal
from importlib import resources

from ddbmig.model.base import Value, canonical_json
from ddbmig.model.context import Narrative
from ddbmig.model.errors import UsageError

BYTES_PER_TOKEN = 2
"""Of a request, estimated low, so that its tokens are estimated high: English and JSON have three or four."""
MOST_INPUT_TOKENS = 100_000
"""Estimated tokens of one request; some prices hold up to here."""
_MILLION = Decimal(1_000_000)


class Price(Value):
    """What a model costs, in US dollars a million tokens."""

    model: str
    input: Decimal
    output: Decimal
    forced_tool: bool
    """Whether the model can be made to call a tool; else a tool is only offered to it."""

    def usd(self, input_tokens: int, output_tokens: int) -> Decimal:
        """What so many tokens cost."""
        return (self.input * input_tokens + self.output * output_tokens) / _MILLION


def price_of(told: Narrative) -> Price:
    """The price of the configured model: of ddbmig.yaml, else of models.yaml. Raises UsageError for an unknown one."""
    known = {one.model: one for one in _prices()}
    if told.price is not None:
        forced = known[told.model].forced_tool if told.model in known else False
        return Price(model=told.model, input=Decimal(str(told.price.input)), output=Decimal(str(told.price.output)),
                     forced_tool=forced)  # fmt: skip
    if told.model not in known:
        hint = "or say what it costs: narrative.price, its input and output in USD a million tokens"
        raise UsageError("no price is known for this model", subject=told.model, expected=", ".join(known), hint=hint)
    return known[told.model]


def budget_of(told: Narrative) -> "Budget":
    """The configured budget, nothing of it spent. Raises UsageError for a model of unknown price."""
    return Budget(price_of(told), Decimal(str(told.budget_usd)), told.budget_tokens)


def _prices() -> list[Price]:
    import yaml

    text = resources.files("ddbmig.narrative").joinpath("models.yaml").read_text("utf-8")
    return [Price.model_validate(one) for one in yaml.safe_load(text)]


def tokens_at_most(body: object) -> int:
    """Tokens that a request has at most, by its bytes."""
    return len(canonical_json(body)) // BYTES_PER_TOKEN + 1


@dataclass
class Budget:
    """Spends up to a cap and never over it: a call that might cost more than is left is not made."""

    price: Price
    usd: Decimal
    tokens: int
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def spent_usd(self) -> Decimal:
        """What has been spent so far."""
        return self.price.usd(self.input_tokens, self.output_tokens)

    def why_not(self, input_tokens: int, output_tokens: int) -> str:
        """Why a call of at most so many tokens may not be made; empty where it may."""
        if input_tokens > MOST_INPUT_TOKENS:
            return "its facts are too long to be sent"
        if self.input_tokens + input_tokens + self.output_tokens + output_tokens > self.tokens:
            return f"the budget of {self.tokens:,} tokens does not reach so far"
        if self.price.usd(self.input_tokens + input_tokens, self.output_tokens + output_tokens) > self.usd:
            return f"the budget of ${self.usd:,} does not reach so far"
        return ""

    def spend(self, input_tokens: int, output_tokens: int) -> None:
        """Count what a call has taken."""
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens
