CREATE TABLE authors (
  id bigint unsigned NOT NULL AUTO_INCREMENT,
  name varchar(100) NOT NULL,
  country char(2) DEFAULT NULL,
  PRIMARY KEY (id)
);
CREATE TABLE books (
  id bigint unsigned NOT NULL AUTO_INCREMENT,
  isbn varchar(13) NOT NULL,
  author_id bigint unsigned DEFAULT NULL,
  title varchar(200) NOT NULL,
  price decimal(10,2) NOT NULL,
  stock int NOT NULL DEFAULT 0,
  published date DEFAULT NULL,
  notes text,
  PRIMARY KEY (id),
  UNIQUE KEY isbn (isbn),
  FULLTEXT KEY title (title)
);
CREATE TABLE reviews (
  book_id bigint unsigned NOT NULL,
  customer_id bigint unsigned NOT NULL,
  score int DEFAULT NULL,
  created_at datetime NOT NULL,
  PRIMARY KEY (book_id, customer_id)
);
CREATE TABLE Orders (
  id bigint unsigned NOT NULL AUTO_INCREMENT,
  customer_id bigint unsigned NOT NULL,
  status varchar(10) NOT NULL,
  total decimal(10,2) DEFAULT NULL,
  created_at datetime NOT NULL,
  PRIMARY KEY (id)
);
CREATE VIEW bestsellers AS SELECT id FROM books;
