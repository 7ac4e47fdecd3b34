-- What there is to buy. Prices are in cents.
CREATE TABLE products (
  id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(100) NOT NULL UNIQUE,
  price INT UNSIGNED NOT NULL,
  stock INT UNSIGNED NOT NULL
);

INSERT INTO products (name, price, stock) VALUES
  ('Teapot; the small one', 2490, 5),
  ('Cup', 890, 40),
  ('Kettle', 5900, 1);
