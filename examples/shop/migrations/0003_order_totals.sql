-- With a default: the release that serves while this is applied knows nothing of the column.
ALTER TABLE orders ADD COLUMN total INT UNSIGNED NOT NULL DEFAULT 0;

-- Data in a transaction: all of it, or nothing.
START TRANSACTION;
UPDATE orders o
  SET total = (SELECT COALESCE(SUM(quantity * price), 0) FROM order_items i WHERE i.order_id = o.id);
COMMIT;
