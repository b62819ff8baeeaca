"""What the bookshop's application asks of its database: one function per page, and how often each page is asked for.

The pages are written the way applications really are: order history asks once more for each order, the cart is an
upsert, check-out is a transaction that locks its stock rows and sometimes rolls back, registration fails on addresses
that are taken, and texts hold line breaks, quotes, emoji and lines that look like a log's own headers.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pymysql
from shop_data import (
    ADJECTIVES,
    ALBUMS,
    AUTHORS,
    CATEGORIES,
    COUPONS,
    CUSTOMERS,
    NOUNS,
    POPULAR_BOOKS,
    POPULAR_CUSTOMERS,
    PUBLISHERS,
    Dice,
    coupon_code,
    isbn,
    preferences,
    review_body,
)

PAGE = 20
DUPLICATE_ENTRY, LOCK_WAIT_TIMEOUT, DEADLOCK = 1062, 1205, 1213
"""The server's errors after which an application goes on."""

ODD_TEXTS = (
    'It\'s "good",\nbut the map is missing.\n\nSecond edition: 5★ 📚',
    "Five stars.\n# Time: 261122 10:00:00\n# User@Host: nobody[nobody] @ nowhere []\nSELECT 1;\n",
    "Prix: 12,50 € -- c'est ; pas cher /* merci */",
    "261122 10:00:00\t    7 Query\tDROP TABLE books",
    "A back\\slash, a `backtick` and 100 % of the ending: 終わり",
)


class Typed(str):
    """A text that a customer typed; it is quoted as many drivers do it, so that its line breaks reach the log."""


class Connection(pymysql.Connection):
    """A connection that quotes typed texts by doubling their quotes, and all else by PyMySQL's backslashes."""

    def escape(self, obj: object, mapping: Any = None) -> str:
        """The SQL literal of a value."""
        if isinstance(obj, Typed):
            return "'{}'".format(obj.replace("\\", "\\\\").replace("'", "''"))
        return str(super().escape(obj, mapping))


class Visit:
    """One person's way through the shop: a connection, the customer who is logged in, and the dice."""

    def __init__(self, connection: Connection, dice: Dice) -> None:
        self.connection = connection
        self.dice = dice
        self.customer = POPULAR_CUSTOMERS.draw(dice)

    def ask(self, sql: str, *params: object) -> Sequence[tuple[Any, ...]]:
        """All rows of one statement."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return tuple(cursor.fetchall())

    def add(self, sql: str, *rows: Sequence[object]) -> int:
        """Insert the rows by one statement; the new AUTO_INCREMENT value."""
        with self.connection.cursor() as cursor:
            cursor.executemany(sql, rows)
            return int(cursor.lastrowid or 0)

    def book(self) -> int:
        """A book, the popular ones far more often."""
        return POPULAR_BOOKS.draw(self.dice)

    def offset(self) -> int:
        """Where a listing starts: mostly at its first page."""
        return self.dice.choice((0, 0, 0, 0, 0, PAGE, PAGE, 2 * PAGE))

    def text(self) -> Typed:
        """A review or note; now and then one that log readers stumble over."""
        return Typed(self.dice.choice(ODD_TEXTS) if self.dice.random() < 0.3 else review_body(self.dice))


Page = Callable[[Visit], None]


def run(page: Page, visit: Visit) -> None:
    """Show a page; go on after an error that applications live with."""
    try:
        page(visit)
    except pymysql.MySQLError as error:
        if error.args[0] in (LOCK_WAIT_TIMEOUT, DEADLOCK):
            visit.ask("ROLLBACK")
        elif error.args[0] != DUPLICATE_ENTRY:
            raise


def front_page(visit: Visit) -> None:
    """Root categories, news and what is on offer without a code."""
    visit.ask("SELECT category_id, name, slug FROM categories WHERE parent_id IS NULL ORDER BY name")
    visit.ask(
        "SELECT book_id, title, price, published_on FROM books WHERE language = %s AND active = 1 "
        "ORDER BY published_on DESC LIMIT 20",
        visit.dice.choice(("en", "en", "en", "de", "fr")),
    )
    visit.ask("SELECT description, percent_off FROM coupons WHERE code IS NULL AND valid_until >= CURDATE()")
    visit.ask(
        "SELECT book_id, viewed_at FROM recently_viewed WHERE customer_id = %s ORDER BY viewed_at DESC LIMIT 5",
        visit.customer,
    )


def product_page(visit: Visit) -> None:
    """A book with its authors, categories, reviews and stock."""
    book = visit.book()
    visit.ask(
        "SELECT b.book_id, b.isbn, b.title, b.price, b.formats, b.description, b.published_on, p.name AS publisher\n"
        "  FROM books b JOIN publishers p ON p.publisher_id = b.publisher_id\n"
        " WHERE b.book_id = %s",
        book,
    )
    visit.ask(
        "SELECT a.author_id, a.name, ba.role FROM book_authors ba JOIN authors a ON a.author_id = ba.author_id "
        "WHERE ba.book_id = %s ORDER BY ba.position",
        book,
    )
    visit.ask(
        "SELECT c.name, c.slug FROM book_categories bc INNER JOIN categories c ON c.category_id = bc.category_id "
        "WHERE bc.book_id = %s",
        book,
    )
    visit.ask("SELECT quantity FROM stock WHERE book_id = %s", book)
    visit.ask("SELECT COUNT(*) FROM reviews WHERE book_id = %s", book)
    visit.ask("SELECT AVG(rating) FROM reviews WHERE book_id = %s", book)
    _reviews_of(visit, book)
    visit.ask(
        "REPLACE INTO recently_viewed (customer_id, book_id, viewed_at) VALUES (%s, %s, NOW())", visit.customer, book
    )


def _reviews_of(visit: Visit, book: int) -> None:
    visit.ask(
        "SELECT r.review_id, r.rating, r.body, r.helpful, r.created_at, c.full_name "
        "FROM reviews r JOIN customers c ON c.customer_id = r.customer_id "
        "WHERE r.book_id = %s ORDER BY r.created_at DESC LIMIT 10",
        book,
    )


def book_by_isbn(visit: Visit) -> None:
    """A link from another shop, or a bar code."""
    visit.ask("SELECT book_id, title, price FROM books WHERE isbn = %s", isbn(visit.book()))


def category_listing(visit: Visit) -> None:
    """A category with its parent, its children and one page of its books."""
    category = min(visit.dice.randint(1, CATEGORIES), visit.dice.randint(1, CATEGORIES))
    visit.ask(
        "SELECT c.name, c.slug, p.name AS parent FROM categories c LEFT JOIN categories p "
        "ON p.category_id = c.parent_id WHERE c.category_id = %s",
        category,
    )
    visit.ask("SELECT category_id, name, slug FROM categories WHERE parent_id = %s ORDER BY name", category)
    visit.ask(
        "SELECT b.book_id, b.title, b.price, b.published_on FROM book_categories bc "
        "JOIN books b ON b.book_id = bc.book_id WHERE bc.category_id = %s AND b.active = 1 "
        "ORDER BY b.published_on DESC LIMIT %s OFFSET %s",
        category,
        PAGE,
        visit.offset(),
    )


def publisher_listing(visit: Visit) -> None:
    """A publisher and one page of its books; sometimes only those that can be sent today."""
    publisher = min(visit.dice.randint(1, PUBLISHERS), visit.dice.randint(1, PUBLISHERS))
    visit.ask("SELECT name, country, website FROM publishers WHERE publisher_id = %s", publisher)
    visit.ask(
        "SELECT book_id, title, price FROM books WHERE publisher_id = %s ORDER BY published_on DESC LIMIT %s, %s",
        publisher,
        visit.offset(),
        PAGE,
    )
    if visit.dice.random() < 0.3:
        visit.ask(
            "SELECT b.book_id, b.title FROM books b WHERE b.publisher_id = %s AND EXISTS "
            "(SELECT 1 FROM stock s WHERE s.book_id = b.book_id AND s.quantity > 0)",
            publisher,
        )


def author_page(visit: Visit) -> None:
    """An author and all their books."""
    author = min(visit.dice.randint(1, AUTHORS), visit.dice.randint(1, AUTHORS))
    visit.ask("SELECT author_id, name, born_year, bio FROM authors WHERE author_id = %s", author)
    visit.ask(
        "SELECT b.book_id, b.title, b.price, b.published_on "
        "FROM book_authors ba JOIN books b ON b.book_id = ba.book_id "
        "WHERE ba.author_id = %s ORDER BY b.published_on DESC",
        author,
    )


def albums_by_year(visit: Visit) -> None:
    """The music corner: albums of a year, and one of them."""
    year = max(visit.dice.randint(1960, 2026), visit.dice.randint(1960, 2026))
    visit.ask("SELECT album_id, artist, title, price FROM albums WHERE release_year = %s ORDER BY title LIMIT 25", year)
    if visit.dice.random() < 0.5:
        album = visit.dice.randint(1, ALBUMS)
        [(artist,)] = visit.ask("SELECT artist FROM albums WHERE album_id = %s", album)
        visit.ask("SELECT * FROM albums WHERE artist = %s ORDER BY release_year", artist)
    if visit.dice.random() < 0.2:
        visit.ask(
            "SELECT album_id, title, release_year FROM albums WHERE release_year BETWEEN %s AND %s "
            "ORDER BY release_year, title LIMIT 50",
            year - 5,
            year,
        )


def search(visit: Visit) -> None:
    """Words anywhere in a title, a title's beginning, or whatever was typed into the one box."""
    kind = visit.dice.random()
    if kind < 0.4:
        visit.ask(
            "SELECT book_id, title, price FROM books WHERE MATCH(title) AGAINST (%s IN BOOLEAN MODE) LIMIT 20",
            f"+{visit.dice.choice(ADJECTIVES)} {visit.dice.choice(NOUNS)}",
        )
    elif kind < 0.8:
        start = f"The {visit.dice.choice(ADJECTIVES).capitalize()}"
        visit.ask("SELECT book_id, title FROM books WHERE title LIKE %s ORDER BY title LIMIT 10", f"{start}%")
    else:
        typed = isbn(visit.book())
        visit.ask("SELECT book_id, title, price FROM books WHERE isbn = %s OR title = %s", typed, typed)


def log_in(visit: Visit) -> None:
    """Find the customer by address, or by loyalty number, and remember the moment."""
    if visit.dice.random() < 0.8:
        visit.ask(
            "SELECT customer_id, full_name, preferences, newsletter FROM customers WHERE email = %s",
            f"customer{visit.customer}@reader.example",
        )
    else:
        visit.ask("SELECT customer_id, full_name FROM customers WHERE loyalty_number = %s", f"L{visit.customer:09d}")
    visit.ask("UPDATE customers SET last_login_at = NOW() WHERE customer_id = %s", visit.customer)


def register(visit: Visit) -> None:
    """A new customer with an address; the e-mail address is sometimes taken."""
    taken = visit.dice.random() < 0.15
    number = visit.dice.randint(1, CUSTOMERS) if taken else visit.dice.randrange(10**6, 10**9)
    customer = visit.add(
        "INSERT INTO customers (email, full_name, preferences, newsletter, created_at) VALUES (%s, %s, %s, %s, NOW())",
        (f"customer{number}@reader.example", visit.dice.name(), preferences(visit.dice), visit.dice.choice((0, 1))),
    )
    visit.add(
        "INSERT INTO addresses (customer_id, kind, street, city, postcode, country, is_default) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (customer, "shipping", f"{visit.dice.randrange(1, 99)} O'Neill's Row", "Łódźton", "10115", "DE", 1),
    )
    if visit.dice.random() < 0.5:
        loyalty_number = f"L{number % 10**9:09d}"
        visit.ask("UPDATE customers SET loyalty_number = %s WHERE customer_id = %s", loyalty_number, customer)


def profile(visit: Visit) -> None:
    """The customer's own page, now and then with a change."""
    visit.ask("SELECT * FROM customers WHERE customer_id = %s", visit.customer)
    visit.ask("SELECT address_id, kind, street, city, country FROM addresses WHERE customer_id = %s", visit.customer)
    visit.ask(
        "SELECT review_id, book_id, rating, created_at FROM reviews WHERE customer_id = %s ORDER BY created_at DESC",
        visit.customer,
    )
    if visit.dice.random() < 0.4:
        visit.ask(
            "UPDATE customers SET preferences = %s, newsletter = %s WHERE customer_id = %s",
            preferences(visit.dice),
            visit.dice.choice((0, 1)),
            visit.customer,
        )


def write_review(visit: Visit) -> None:
    """One review of each customer for each book; a second one is refused by the unique key."""
    visit.add(
        "INSERT INTO reviews (book_id, customer_id, rating, body, created_at) VALUES (%s, %s, %s, %s, NOW())",
        (visit.book(), visit.customer, visit.dice.choice((5, 5, 4, 3, 1)), visit.text()),
    )


def vote(visit: Visit) -> None:
    """`Was this review helpful?`"""
    book = visit.book()
    rows = visit.ask("SELECT review_id FROM reviews WHERE book_id = %s ORDER BY helpful DESC LIMIT 3", book)
    if rows:
        visit.ask("UPDATE reviews SET helpful = helpful + 1 WHERE review_id = %s", rows[-1][0])


def wishlist(visit: Visit) -> None:
    """Keep a book for later, and look at what is kept."""
    visit.ask(
        "INSERT IGNORE INTO wishlist_items (customer_id, book_id, added_at) VALUES (%s, %s, NOW())",
        visit.customer,
        visit.book(),
    )
    visit.ask(
        "SELECT w.book_id, b.title, b.price, s.quantity FROM wishlist_items w JOIN books b ON b.book_id = w.book_id "
        "LEFT JOIN stock s ON s.book_id = w.book_id WHERE w.customer_id = %s",
        visit.customer,
    )
    visit.ask(
        "SELECT w.book_id FROM wishlist_items w WHERE w.customer_id = %s AND NOT EXISTS "
        "(SELECT 1 FROM cart_lines c WHERE c.customer_id = w.customer_id AND c.book_id = w.book_id)",
        visit.customer,
    )


def fill_cart(visit: Visit) -> None:
    """Put a book into the cart, now and then take one out."""
    visit.ask(
        "INSERT INTO cart_lines (customer_id, book_id, quantity, added_at) VALUES (%s, %s, 1, NOW()) "
        "ON DUPLICATE KEY UPDATE quantity = quantity + VALUES(quantity)",
        visit.customer,
        visit.book(),
    )
    lines = show_cart(visit)
    if visit.dice.random() < 0.2:
        book = visit.dice.choice(lines)[0]
        visit.ask("DELETE FROM cart_lines WHERE customer_id = %s AND book_id = %s", visit.customer, book)


def show_cart(visit: Visit) -> Sequence[tuple[Any, ...]]:
    """Book, quantity, price and title of each line of the cart."""
    return visit.ask(
        "SELECT c.book_id, c.quantity, b.price, b.title FROM cart_lines c JOIN books b ON b.book_id = c.book_id "
        "WHERE c.customer_id = %s ORDER BY c.book_id",
        visit.customer,
    )


def recently_viewed(visit: Visit) -> None:
    """The strip of covers under every page."""
    books = POPULAR_BOOKS.draw_distinct(visit.dice, visit.dice.randint(2, 6))
    visit.ask("SELECT book_id, title, price FROM books WHERE book_id IN %s", books)


def check_out(visit: Visit) -> None:
    """Buy what is in the cart: lock the stock, write order, lines and event, or roll back."""
    fill_cart(visit)
    lines = show_cart(visit)
    if not lines:
        return
    coupon = _coupon(visit)
    visit.ask("BEGIN")
    for book, quantity, _, _ in lines:
        [(left,)] = visit.ask("SELECT quantity FROM stock WHERE book_id = %s FOR UPDATE", book)
        if left < quantity:
            visit.ask("ROLLBACK")
            return
    _write_order(visit, lines, coupon)
    card_declined = visit.dice.random() < 0.1
    visit.ask("ROLLBACK" if card_declined else "COMMIT")


def _coupon(visit: Visit) -> int | None:
    """The id of the coupon that the customer typed in, if it exists."""
    if visit.dice.random() < 0.7:
        return None
    code = coupon_code(visit.dice.randrange(COUPONS))
    rows = visit.ask("SELECT coupon_id, percent_off FROM coupons WHERE code = %s AND valid_until >= CURDATE()", code)
    return rows[0][0] if rows else None


def _write_order(visit: Visit, lines: Sequence[tuple[Any, ...]], coupon: int | None) -> None:
    total = sum((quantity * price for _, quantity, price, _ in lines), Decimal(0))
    note = visit.text() if visit.dice.random() < 0.1 else None
    order = visit.add(
        "INSERT INTO orders (customer_id, coupon_id, status, total, note, placed_at) "
        "VALUES (%s, %s, 'paid', %s, %s, NOW())",
        (visit.customer, coupon, total, note),
    )
    visit.add(
        "INSERT INTO order_lines (order_id, line_no, book_id, quantity, unit_price) VALUES (%s, %s, %s, %s, %s)",
        *((order, place, book, quantity, price) for place, (book, quantity, price, _) in enumerate(lines, start=1)),
    )
    for book, quantity, _, _ in lines:
        visit.ask("UPDATE stock SET quantity = quantity - %s WHERE book_id = %s", quantity, book)
    visit.add("INSERT INTO order_events (order_id, event, detail) VALUES (%s, %s, %s)", (order, "placed", None))
    if coupon is not None:
        visit.ask("UPDATE coupons SET uses = uses + 1 WHERE coupon_id = %s", coupon)
    visit.ask("DELETE FROM cart_lines WHERE customer_id = %s", visit.customer)


def order_history(visit: Visit) -> None:
    """The customer's latest orders, and then the lines of each: the N+1 reads that many mappers make."""
    orders = visit.ask(
        "SELECT order_id, status, total, placed_at FROM orders WHERE customer_id = %s ORDER BY placed_at DESC LIMIT 10",
        visit.customer,
    )
    for order, *_ in orders:
        visit.ask(
            "SELECT line_no, book_id, quantity, unit_price FROM order_lines WHERE order_id = %s ORDER BY line_no", order
        )


def order_detail(visit: Visit) -> None:
    """One order with its lines, their books and what happened to it."""
    rows = visit.ask("SELECT MAX(order_id) FROM orders WHERE customer_id = %s", visit.customer)
    order = rows[0][0]
    if order is None:
        return
    visit.ask(
        "SELECT o.order_id, o.status, o.total, o.note, o.placed_at, a.street, a.city FROM orders o "
        "LEFT JOIN addresses a ON a.address_id = o.address_id WHERE o.order_id = %s",
        order,
    )
    visit.ask(
        "SELECT l.line_no, l.quantity, l.unit_price, l.line_total, b.title, b.isbn FROM order_lines l "
        "JOIN books b ON b.book_id = l.book_id WHERE l.order_id = %s ORDER BY l.line_no",
        order,
    )
    visit.ask("SELECT event, detail, happened_at FROM order_events WHERE order_id = %s ORDER BY happened_at", order)


def pack_orders(visit: Visit) -> None:
    """The warehouse packs the oldest paid orders, each in a transaction of its own."""
    orders = visit.ask("SELECT order_id FROM orders WHERE status = 'paid' ORDER BY placed_at LIMIT 5")
    for (order,) in orders:
        visit.ask("BEGIN")
        visit.ask("UPDATE orders SET status = 'packed' WHERE order_id = %s AND status = 'paid'", order)
        visit.add("INSERT INTO order_events (order_id, event, detail) VALUES (%s, %s, %s)", (order, "packed", "bay 4"))
        visit.ask("COMMIT")


def restock(visit: Visit) -> None:
    """What runs low, and a delivery booked by statements that are prepared in SQL."""
    low = visit.ask(
        "SELECT s.book_id, b.title, s.quantity, s.shelf FROM stock s JOIN books b ON b.book_id = s.book_id "
        "WHERE s.quantity < 5 ORDER BY s.quantity LIMIT 3"
    )
    visit.ask("PREPARE shelf_of FROM 'SELECT shelf, quantity FROM stock WHERE book_id = ?'")
    visit.ask("PREPARE delivery FROM 'UPDATE stock SET quantity = quantity + ?, reordered_at = NULL WHERE book_id = ?'")
    for book, *_ in low:
        visit.ask("SET @copies = 12, @book = %s", book)
        visit.ask("EXECUTE shelf_of USING @book")
        visit.ask("EXECUTE delivery USING @copies, @book")
    visit.ask("DEALLOCATE PREPARE shelf_of")
    visit.ask("DEALLOCATE PREPARE delivery")


def reprice(visit: Visit) -> None:
    """A publisher's new price for one book."""
    visit.ask("UPDATE books SET price = %s WHERE book_id = %s", visit.dice.price(4, 60), visit.book())


def reports(visit: Visit) -> None:
    """What the owner looks at; nothing here is bounded by a key."""
    visit.ask(
        "/* report: revenue */\nSELECT p.name, COUNT(DISTINCT l.order_id) AS orders, SUM(l.line_total) AS revenue\n"
        "FROM order_lines l\nJOIN books b ON b.book_id = l.book_id\n"
        "JOIN publishers p ON p.publisher_id = b.publisher_id\n"
        "GROUP BY p.publisher_id, p.name\nORDER BY revenue DESC\nLIMIT 10"
    )
    visit.ask("SELECT status, COUNT(*) AS orders, SUM(total) FROM orders GROUP BY status")
    visit.ask("SELECT COUNT(*) FROM books WHERE FIND_IN_SET('ebook', formats) > 0 AND published_year = %s", 2024)


SHOP: tuple[tuple[Page, int], ...] = (
    (product_page, 26),
    (category_listing, 12),
    (recently_viewed, 10),
    (order_history, 8),
    (order_detail, 8),
    (front_page, 8),
    (search, 7),
    (log_in, 6),
    (fill_cart, 6),
    (albums_by_year, 6),
    (check_out, 5),
    (author_page, 5),
    (publisher_listing, 5),
    (book_by_isbn, 5),
    (profile, 3),
    (wishlist, 3),
    (vote, 3),
    (write_review, 3),
    (register, 2),
)
"""The shop's pages with their shares."""

BACK_OFFICE: tuple[tuple[Page, int], ...] = ((pack_orders, 6), (reprice, 5), (restock, 2), (reports, 2))
"""The pages of the people behind the shop."""
