SELECT * FROM books WHERE id = ?
SELECT title, price FROM books WHERE id IN (?)
SELECT * FROM books WHERE isbn = ?
SELECT * FROM books WHERE ean = ?
SELECT * FROM books WHERE id = ? FOR UPDATE
SELECT title FROM books WHERE author_id = ?
SELECT * FROM books WHERE author_id = ? AND published > ?
SELECT * FROM books WHERE author_id = ? AND published BETWEEN ? AND ?
SELECT * FROM books WHERE author_id = ? ORDER BY published DESC LIMIT ?
SELECT * FROM books WHERE author_id = ? AND (genre = ? OR stock > ?)
SELECT * FROM books WHERE author_id = ? AND genre IS NULL
SELECT * FROM books WHERE author_id = ? AND title LIKE ?
SELECT id FROM books WHERE author_id = ? AND LOWER(title) = ?
SELECT COUNT(*) FROM books WHERE author_id = ?
SELECT genre, COUNT(*) FROM books WHERE author_id = ? GROUP BY genre
SELECT DISTINCT genre FROM books WHERE author_id = ?
SELECT MAX(price) FROM books WHERE author_id = ?
SELECT * FROM tags ORDER BY label
SELECT * FROM tags WHERE label = ?
SELECT b.title, a.name FROM books b JOIN authors a ON a.id = b.author_id WHERE b.id = ?
SELECT b.title, a.name FROM books b JOIN authors a ON a.id = b.author_id WHERE b.genre = ?
SELECT a.name, b.title FROM authors a LEFT JOIN books b ON b.author_id = a.id WHERE a.id = ?
SELECT b.title, p.title FROM books b LEFT JOIN books p ON p.id = b.sequel_of WHERE b.id = ?
SELECT a.name FROM authors a LEFT JOIN books b ON b.author_id = a.id AND b.price > ? WHERE a.id = ? AND b.id IS NULL
SELECT t.label FROM tags t JOIN book_tags bt ON bt.tag_id = t.id WHERE bt.book_id = ?
SELECT b.title FROM books b JOIN book_tags bt ON bt.book_id = b.id WHERE bt.tag_id = ?
SELECT title FROM books b WHERE b.author_id = ? AND EXISTS (SELECT 1 FROM book_tags r WHERE r.book_id = b.id AND r.tag_id = ?)
SELECT title FROM books b WHERE b.author_id = ? AND NOT EXISTS (SELECT 1 FROM order_lines r WHERE r.book_id = b.id)
SELECT * FROM order_lines WHERE order_id = ?
SELECT * FROM order_lines WHERE order_id = ? AND nr = ?
SELECT * FROM order_lines WHERE order_id = ? AND nr > ?
SELECT * FROM order_lines WHERE order_id = ? ORDER BY nr DESC LIMIT ?
SELECT l.qty, b.title FROM order_lines l JOIN books b ON b.id = l.book_id WHERE l.order_id = ?
SELECT * FROM visits WHERE page = ?
SELECT COUNT(*) FROM visits WHERE page = ?
UPDATE books SET title = ? WHERE id = ?
UPDATE books SET stock = stock - ? WHERE id = ? AND stock >= ?
UPDATE books SET isbn = ? WHERE id = ?
UPDATE books SET ean = NULL WHERE id = ?
UPDATE books SET ean = ? WHERE id = ?
UPDATE books SET title = ? WHERE isbn = ?
UPDATE books SET genre = ? WHERE author_id = ?
UPDATE books SET author_id = ? WHERE id = ?
UPDATE books SET price = price * 2 WHERE id IN (?)
UPDATE authors SET name = ? WHERE id = ?
UPDATE authors SET country = ? WHERE id = ?
UPDATE order_lines SET qty = ? WHERE order_id = ? AND nr = ?
UPDATE order_lines SET nr = ? WHERE order_id = ? AND nr = ?
UPDATE visits SET ms = ? WHERE page = ?
UPDATE visits SET page = ? WHERE page = ?
INSERT INTO authors (name, country) VALUES (?, ?)
INSERT INTO books (author_id, isbn, ean, title, price, published) VALUES (?, ?, ?, ?, ?, ?)
INSERT INTO books (author_id, isbn, ean, title, price, published) VALUES (?, ?, NULL, ?, ?, ?)
INSERT IGNORE INTO tags (label) VALUES (?)
INSERT INTO tags (label) VALUES (?)
INSERT INTO book_tags (book_id, tag_id, added) VALUES (?, ?, ?)
INSERT INTO visits (at, page, ms, weight) VALUES (?, ?, ?, ?)
INSERT INTO order_lines (order_id, nr, book_id, qty) VALUES (?, ?, ?, ?)
DELETE FROM book_tags WHERE book_id = ? AND tag_id = ?
DELETE FROM book_tags WHERE book_id = ?
DELETE FROM order_lines WHERE order_id = ?
DELETE FROM visits WHERE page = ?
DELETE FROM shelves WHERE code = ?
DELETE FROM shelves WHERE label = ?
SELECT s.label, a.name FROM shelves s JOIN authors a ON a.id = s.author_id WHERE s.code = ?
UPDATE shelves SET code = ? WHERE code = ?
UPDATE shelves SET code = ?, label = ? WHERE code = ?
UPDATE shelves SET author_id = ?, code = ? WHERE label = ?
UPDATE shelves SET author_id = NULL WHERE code = ?
REPLACE INTO shelves (code, label, author_id) VALUES (?, ?, ?)
INSERT INTO shelves (code, label, author_id) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE label = ?
INSERT INTO shelves (code, label, author_id) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE author_id = VALUES(author_id)
UPDATE book_tags SET tag_id = ? WHERE book_id = ? AND tag_id = ?
UPDATE books SET sequel_of = NULL WHERE id = ?
UPDATE books SET author_id = ? WHERE isbn = ?
SELECT * FROM loans WHERE branch = ? AND state = ? ORDER BY due, lent LIMIT ?
SELECT * FROM loans WHERE branch = ? AND state = ? ORDER BY state, due DESC, lent DESC LIMIT ?
SELECT * FROM loans WHERE branch = ? AND state = ? AND due > ? ORDER BY due, lent LIMIT ?
SELECT * FROM loans WHERE branch = ? AND state = ? AND due = ? AND lent < ?
SELECT * FROM loans WHERE branch = ? AND state = ? AND due = ? ORDER BY lent DESC LIMIT ?
SELECT note FROM loans WHERE branch = ? AND state IN (?)
SELECT id FROM loans WHERE branch = ? AND reader = ?
INSERT INTO loans (branch, state, due, lent, reader) VALUES (?, ?, ?, ?, NULL)
UPDATE loans SET due = ? WHERE id = ?
UPDATE loans SET state = ? WHERE branch = ? AND state = ? AND due = ?
UPDATE loans SET reader = ? WHERE id = ?
UPDATE loans SET reader = NULL WHERE id = ?
DELETE FROM loans WHERE branch = ? AND reader = ?
