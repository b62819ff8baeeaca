CREATE TABLE authors (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60) NOT NULL, country CHAR(2) NOT NULL, born DATE);
CREATE TABLE books (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, author_id INT NOT NULL, isbn CHAR(13) NOT NULL, ean VARCHAR(20),
  title VARCHAR(200) NOT NULL, genre VARCHAR(40), price DECIMAL(8,2) NOT NULL, published DATE NOT NULL,
  stock INT NOT NULL DEFAULT 0, sequel_of INT, extra JSON,
  UNIQUE KEY isbn (isbn), UNIQUE KEY ean (ean), KEY author (author_id),
  FOREIGN KEY (author_id) REFERENCES authors (id), FOREIGN KEY (sequel_of) REFERENCES books (id));
CREATE TABLE tags (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, label VARCHAR(40) NOT NULL, UNIQUE KEY label (label));
CREATE TABLE book_tags (
  book_id INT NOT NULL, tag_id INT NOT NULL, added DATETIME NOT NULL, PRIMARY KEY (book_id, tag_id),
  FOREIGN KEY (book_id) REFERENCES books (id), FOREIGN KEY (tag_id) REFERENCES tags (id));
CREATE TABLE order_lines (
  order_id INT NOT NULL, nr SMALLINT NOT NULL, book_id INT NOT NULL, qty INT NOT NULL, note VARCHAR(80),
  PRIMARY KEY (order_id, nr), FOREIGN KEY (book_id) REFERENCES books (id));
CREATE TABLE visits (at DATETIME NOT NULL, page VARCHAR(40) NOT NULL, ms INT, weight DOUBLE);
CREATE TABLE shelves (
  code VARCHAR(20) NOT NULL PRIMARY KEY, label VARCHAR(40) NOT NULL, author_id INT, UNIQUE KEY label (label),
  FOREIGN KEY (author_id) REFERENCES authors (id));
CREATE TABLE loans (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, branch INT NOT NULL, state VARCHAR(10) NOT NULL, due DATE NOT NULL,
  lent DATETIME NOT NULL, reader INT, note VARCHAR(40));
