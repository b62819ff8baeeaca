"""The bookshop's rows as they were before the recording: made-up names only, the same rows on every run.

`generate(dice)` gives every table in an order in which foreign keys hold. A few books and customers are far more
popular than the rest, since that is what makes a partition hot; `Popularity` keeps the same favourites for the traffic.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate

Row = tuple[object, ...]

OPENING_DAY = datetime(2024, 11, 1, 8, 0, 0)
DAYS_OPEN = 750

BOOKS, AUTHORS, PUBLISHERS, CUSTOMERS = 2000, 600, 120, 1500
ORDERS, REVIEWS, CATEGORIES, ALBUMS, COUPONS = 4000, 6000, 40, 500, 30


def _entries(text: str, separator: str | None = None) -> list[str]:
    """The entries of a list that is written as text."""
    return [" ".join(entry.split()) for entry in text.split(separator)]


SYLLABLES = _entries("ba bel cor dan el fen gar hal is jo ka lin mor na or pel qui ras sel tor ul van wen xan yor zel")
ADJECTIVES = _entries("""
    amber brittle crooked distant early faithful golden hollow idle jagged kindled lonely missing northern open patient
    quiet restless silver tangled unlit violet wandering yellow""")
NOUNS = _entries("""
    archive bridge cartographer daughter estuary ferry garden harbour island journal kitchen lantern meadow notebook
    orchard piano quarry river station theatre umbrella valley winter year""")
VERDICTS = _entries(
    """
    a joy from the first page|too long by a third|I read it twice|the ending did not hold|bought it as a gift|
    the translation is excellent|my copy came with a bent corner|it kept me up at night|not what the cover promised|
    the best of the series|dry at first, then wonderful|I could not finish it""",
    "|",
)
STREETS = _entries("Mill Lane|Harbour Street|Old Road|Garden Row|Station Square|Bridge Walk|Orchard Way", "|")
LANGUAGES = ("en", "en", "en", "en", "de", "fr", "es", "ja")
COUNTRIES = ("GB", "US", "US", "DE", "FR", "JP", "NZ", "IE")
FORMATS = ("paperback", "hardcover", "ebook", "audio")
OPEN_STATUSES = ("new", "paid", "paid", "packed", "shipped", "shipped")
CLOSED_STATUSES = (*("delivered",) * 15, "cancelled")
OPEN_ORDERS, ORDERS_WITH_EVENTS = 150, 500
"""The latest orders are under way, and events are kept of the latest only."""


class Dice(random.Random):
    """A seeded source of everything that looks random here."""

    def words(self, count: int, among: Sequence[str]) -> str:
        """`count` words of `among`, separated by spaces."""
        return " ".join(self.choices(among, k=count))

    def name(self) -> str:
        """A made-up first and last name."""
        parts = ("".join(self.choices(SYLLABLES, k=self.choice((2, 3)))) for _ in range(2))
        return " ".join(part.capitalize() for part in parts)

    def title(self) -> str:
        """A made-up title."""
        shape = self.choice(("The {a} {n}", "{a} {n}s", "{n} of the {a} {m}", "No {n} for {name}", "{name}'s {a} {n}"))
        return shape.format(
            a=self.choice(ADJECTIVES).capitalize(),
            n=self.choice(NOUNS).capitalize(),
            m=self.choice(NOUNS).capitalize(),
            name=self.name().split()[0],
        )

    def price(self, low: int, high: int) -> Decimal:
        """A price of `low` to `high` units, ending in .99 or .50."""
        return Decimal(self.randrange(low, high)) + self.choice((Decimal("0.99"), Decimal("0.50")))

    def moment(self) -> datetime:
        """A moment since the shop opened, to the minute."""
        return OPENING_DAY + timedelta(minutes=self.randrange(DAYS_OPEN * 1440))


class Popularity:
    """Ids 1…`count` in a fixed shuffled order, drawn by Zipf's law: the n-th favourite with weight 1/n^`skew`."""

    def __init__(self, count: int, skew: float) -> None:
        self.ids = list(range(1, count + 1))
        Dice(count).shuffle(self.ids)
        self._weights = list(accumulate(1 / rank**skew for rank in range(1, count + 1)))

    def draw(self, dice: Dice) -> int:
        """One id."""
        return dice.choices(self.ids, cum_weights=self._weights)[0]

    def draw_distinct(self, dice: Dice, count: int) -> list[int]:
        """`count` different ids, ascending (which is also the order in which a checkout locks their rows)."""
        found: set[int] = set()
        while len(found) < count:
            found.add(self.draw(dice))
        return sorted(found)


POPULAR_BOOKS = Popularity(BOOKS, skew=1.0)
POPULAR_CUSTOMERS = Popularity(CUSTOMERS, skew=0.8)


@dataclass(frozen=True)
class Rows:
    """The rows of one table; `columns` are those that are given, so that generated ones are left to the server."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def _rows(table: str, columns: str, rows: Iterable[Row]) -> Rows:
    return Rows(table, tuple(columns.split()), tuple(rows))


def isbn(number: int) -> str:
    """The `number`-th ISBN-13, with its check digit."""
    body = f"978{number:09d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return f"{body}{-total % 10}"


def generate(dice: Dice) -> list[Rows]:
    """Every table with rows, parents before children."""
    prices = [dice.price(4, 60) for _ in range(BOOKS)]
    orders, lines, events = _orders(dice, prices)
    return [
        _publishers(dice),
        _authors(dice),
        _categories(),
        _books(dice, prices),
        _rows("book_authors", "book_id author_id position role", _book_authors(dice)),
        _rows("book_categories", "book_id category_id", _book_categories(dice)),
        _albums(dice),
        _customers(dice),
        _addresses(dice),
        _coupons(dice),
        orders,
        lines,
        events,
        _reviews(dice),
        _rows("stock", "book_id quantity shelf reordered_at updated_at", (_stock(dice, n + 1) for n in range(BOOKS))),
        _rows("cart_lines", "customer_id book_id quantity added_at", _picks(dice, 400, lambda: dice.randint(1, 3))),
        _rows("wishlist_items", "customer_id book_id added_at", _picks(dice, 500)),
        _rows("recently_viewed", "customer_id book_id viewed_at", _picks(dice, 500)),
    ]


def _publishers(dice: Dice) -> Rows:
    names = [
        f"{dice.name().split()[1]} {dice.choice(('Press', 'Books', 'House'))} {n}" for n in range(1, PUBLISHERS + 1)
    ]
    sites = (None if n % 5 == 0 else f"https://publisher-{n}.example" for n in range(PUBLISHERS))
    rows = [(name, dice.choice(COUNTRIES), site) for name, site in zip(names, sites, strict=True)]
    return _rows("publishers", "name country website", rows)


def _authors(dice: Dice) -> Rows:
    rows = [
        (
            dice.name(),
            None if dice.random() < 0.2 else dice.randrange(1880, 2000),
            None if dice.random() < 0.3 else f"Grew up by the {dice.words(2, NOUNS)}; writes about {dice.title()}.",
        )
        for _ in range(AUTHORS)
    ]
    return _rows("authors", "name born_year bio", rows)


def _categories() -> Rows:
    """Eight roots with four children each."""
    rows: list[Row] = []
    for number in range(CATEGORIES):
        root = number < 8
        name = f"{ADJECTIVES[number % 24]} {NOUNS[(number * 5) % 24]}s"
        rows.append((None if root else number % 8 + 1, name.title(), f"{name.replace(' ', '-')}-{number + 1}"))
    return _rows("categories", "parent_id name slug", rows)


def _books(dice: Dice, prices: Sequence[Decimal]) -> Rows:
    def row(number: int) -> Row:
        formats = dice.sample(FORMATS, dice.choice((1, 1, 2, 3)))
        published = datetime(1995, 1, 1) + timedelta(days=dice.randrange(31 * 365))
        blurb = f"How the {dice.words(2, NOUNS)} became {dice.words(1, ADJECTIVES)}."
        return (
            isbn(number + 1),
            dice.title(),
            min(dice.randint(1, PUBLISHERS), dice.randint(1, PUBLISHERS)),
            published.date(),
            dice.choice(LANGUAGES),
            prices[number],
            ",".join(formats),
            None if dice.random() < 0.4 else blurb,
            int(dice.random() < 0.97),
        )

    columns = "isbn title publisher_id published_on language price formats description active"
    return _rows("books", columns, (row(number) for number in range(BOOKS)))


def _book_authors(dice: Dice) -> Iterator[Row]:
    for book in range(1, BOOKS + 1):
        for place, author in enumerate(dice.sample(range(1, AUTHORS + 1), dice.choice((1, 1, 1, 2, 2, 3)))):
            yield book, author, place + 1, "author" if place < 2 else dice.choice(("editor", "translator"))


def _book_categories(dice: Dice) -> Iterator[Row]:
    for book in range(1, BOOKS + 1):
        for category in sorted(dice.sample(range(1, CATEGORIES + 1), dice.choice((1, 2, 2, 3)))):
            yield book, category


def _albums(dice: Dice) -> Rows:
    artists = [f"The {dice.words(1, ADJECTIVES)} {dice.words(1, NOUNS)}s".title() for _ in range(90)]
    rows = [
        (
            dice.choice(artists),
            dice.title(),
            max(dice.randint(1960, 2026), dice.randint(1960, 2026)),
            None if dice.random() < 0.1 else f"{dice.choice(NOUNS).title()} Records",
            dice.price(6, 40),
        )
        for _ in range(ALBUMS)
    ]
    return _rows("albums", "artist title release_year label price", rows)


def preferences(dice: Dice) -> str:
    """A customer's preferences as JSON text."""
    wishes = {"currency": dice.choice(("USD", "EUR", "GBP")), "genres": sorted(dice.sample(NOUNS, dice.randint(0, 3)))}
    return json.dumps({**wishes, "mail": {"weekly": dice.random() < 0.3, "hour": dice.choice((7, 18))}})


def _customers(dice: Dice) -> Rows:
    def row(number: int) -> Row:
        joined = dice.moment()
        return (
            f"customer{number}@reader.example",
            None if dice.random() < 0.6 else f"L{number:09d}",
            dice.name(),
            None if dice.random() < 0.25 else preferences(dice),
            int(dice.random() < 0.4),
            joined,
            None if dice.random() < 0.1 else joined + timedelta(days=dice.randrange(1, 30)),
        )

    columns = "email loyalty_number full_name preferences newsletter created_at last_login_at"
    return _rows("customers", columns, (row(number) for number in range(1, CUSTOMERS + 1)))


def _addresses(dice: Dice) -> Rows:
    """One address for each customer, under the customer's own number, and a second one for every tenth."""
    owners = [*range(1, CUSTOMERS + 1), *range(10, CUSTOMERS + 1, 10)]
    rows = [
        (
            owner,
            "shipping" if place < CUSTOMERS else "billing",
            f"{dice.randrange(1, 200)} {dice.choice(STREETS)}",
            f"{dice.choice(NOUNS)}ton".title(),
            f"{dice.randrange(100, 999)}00",
            dice.choice(COUNTRIES),
            int(place < CUSTOMERS),
        )
        for place, owner in enumerate(owners)
    ]
    return _rows("addresses", "customer_id kind street city postcode country is_default", rows)


def coupon_code(number: int) -> str:
    """The code of the `number`-th coupon, for those that have one."""
    return f"{NOUNS[number % len(NOUNS)].upper()}{number}"


def _coupons(dice: Dice) -> Rows:
    rows = [
        (
            None if number % 6 == 0 else coupon_code(number),
            f"{dice.choice(ADJECTIVES)} days",
            Decimal(dice.choice(("5.00", "7.50", "10.00", "15.00"))),
            (OPENING_DAY + timedelta(days=dice.randrange(500, 1200))).date(),
            dice.randrange(40),
        )
        for number in range(COUPONS)
    ]
    return _rows("coupons", "code description percent_off valid_until uses", rows)


def _orders(dice: Dice, prices: Sequence[Decimal]) -> tuple[Rows, Rows, Rows]:
    """Orders in the order of their moments, their lines (2.5 on average) and their events."""
    orders: list[Row] = []
    lines: list[Row] = []
    events: list[Row] = []
    for number, placed in enumerate(sorted(dice.moment() for _ in range(ORDERS)), start=1):
        customer, age = POPULAR_CUSTOMERS.draw(dice), ORDERS - number
        status = dice.choice(OPEN_STATUSES if age < OPEN_ORDERS else CLOSED_STATUSES)
        books = POPULAR_BOOKS.draw_distinct(dice, dice.choice((1, 1, 2, 2, 3, 3, 4, 4)))
        basket = [(book, dice.choice((1, 1, 1, 1, 2)), prices[book - 1]) for book in books]
        total = sum((quantity * price for _, quantity, price in basket), Decimal(0))
        note = "Please leave it with the neighbours" if dice.random() < 0.05 else None
        coupon = dice.randint(1, COUPONS) if dice.random() < 0.1 else None
        orders.append((customer, customer, coupon, status, total, note, placed))
        lines += [(number, place, *line) for place, line in enumerate(basket, start=1)]
        if age < ORDERS_WITH_EVENTS:
            events += [(number, "placed", None, placed), (number, status, "by mail", placed + timedelta(hours=9))]
    return (
        _rows("orders", "customer_id address_id coupon_id status total note placed_at", orders),
        _rows("order_lines", "order_id line_no book_id quantity unit_price", lines),
        _rows("order_events", "order_id event detail happened_at", events),
    )


def review_body(dice: Dice) -> str:
    """A few made-up sentences."""
    return ". ".join(text.capitalize() for text in dice.sample(VERDICTS, dice.choice((1, 1, 1, 2)))) + "."


def _reviews(dice: Dice) -> Rows:
    """At most one review of each customer for each book."""
    pairs: dict[tuple[int, int], None] = {}
    while len(pairs) < REVIEWS:
        pairs[(POPULAR_BOOKS.draw(dice), POPULAR_CUSTOMERS.draw(dice))] = None
    rows = [
        (
            book,
            customer,
            dice.choice((5, 5, 5, 4, 4, 3, 2, 1)),
            None if dice.random() < 0.5 else review_body(dice),
            int(dice.paretovariate(1)) if dice.random() < 0.3 else 0,
            dice.moment(),
        )
        for book, customer in pairs
    ]
    return _rows("reviews", "book_id customer_id rating body helpful created_at", rows)


def _stock(dice: Dice, book: int) -> Row:
    quantity = 500 if book in POPULAR_BOOKS.ids[:40] else dice.randrange(60)
    shelf = f"{dice.choice('ABCDEFGH')}{dice.randrange(1, 90)}"
    counted = OPENING_DAY + timedelta(days=DAYS_OPEN - 1 - book % 7)
    return book, quantity, shelf, counted if quantity < 6 else None, counted


def _picks(dice: Dice, count: int, *extra: Callable[[], object]) -> list[Row]:
    """`count` different pairs of customer and book, with a moment."""
    pairs: dict[tuple[int, int], None] = {}
    while len(pairs) < count:
        pairs[(POPULAR_CUSTOMERS.draw(dice), POPULAR_BOOKS.draw(dice))] = None
    return [(*pair, *(make() for make in extra), dice.moment()) for pair in pairs]
