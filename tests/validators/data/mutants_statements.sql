SELECT * FROM books WHERE id = ?
SELECT title, price FROM books WHERE id IN (?)
SELECT title FROM books WHERE isbn = ?
SELECT id, title, price, changed FROM books WHERE author_id = ?
SELECT id FROM books WHERE author_id = ? AND stock > ?
SELECT id FROM books WHERE author_id = ? AND genre = ?
SELECT title FROM books WHERE author_id = ? AND published > ? ORDER BY published DESC LIMIT ?
SELECT title FROM books WHERE author_id = ? ORDER BY title
SELECT DISTINCT genre FROM books WHERE author_id = ?
SELECT COUNT(*) FROM books WHERE author_id = ?
SELECT SUM(stock) FROM books WHERE author_id = ?
SELECT b.title, a.name FROM books b JOIN authors a ON a.id = b.author_id WHERE b.id = ?
SELECT a.name, b.title FROM authors a LEFT JOIN books b ON b.author_id = a.id WHERE a.id IN (?)
SELECT id FROM books b WHERE b.author_id = ? AND EXISTS (SELECT 1 FROM order_lines r WHERE r.book_id = b.id)
SELECT id FROM books b WHERE b.author_id = ? AND NOT EXISTS (SELECT 1 FROM order_lines r WHERE r.book_id = b.id)
SELECT qty, note FROM order_lines WHERE order_id = ? AND nr = ?
SELECT nr, qty FROM order_lines WHERE order_id = ?
SELECT nr, qty FROM order_lines WHERE order_id = ? AND nr > ?
UPDATE authors SET name = ? WHERE id = ?
UPDATE books SET title = ?, stock = stock - ? WHERE id = ?
UPDATE books SET stock = stock - ? WHERE id = ? AND stock >= ?
UPDATE books SET isbn = ? WHERE id = ?
UPDATE order_lines SET qty = ? WHERE order_id = ?
INSERT INTO books (author_id, isbn, title, genre, price, published, changed, stock) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
INSERT INTO order_lines (order_id, nr, book_id, qty) VALUES (?, ?, ?, ?)
DELETE FROM order_lines WHERE order_id = ?
DELETE FROM books WHERE id = ?
