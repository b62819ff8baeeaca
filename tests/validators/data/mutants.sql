CREATE TABLE authors (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60) NOT NULL, country CHAR(2) NOT NULL);
CREATE TABLE books (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, author_id INT NOT NULL, isbn CHAR(13) NOT NULL, title VARCHAR(80) NOT NULL,
  genre VARCHAR(20), price DECIMAL(8,2) NOT NULL, published DATE NOT NULL, changed DATETIME NOT NULL, stock INT NOT NULL,
  UNIQUE KEY isbn (isbn), KEY author (author_id), FOREIGN KEY (author_id) REFERENCES authors (id));
CREATE TABLE order_lines (
  order_id INT NOT NULL, nr INT NOT NULL, book_id INT NOT NULL, qty INT NOT NULL, note VARCHAR(40),
  PRIMARY KEY (order_id, nr), KEY book (book_id), FOREIGN KEY (book_id) REFERENCES books (id));
