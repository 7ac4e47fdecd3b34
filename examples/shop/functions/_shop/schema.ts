import { datetime, int, mysqlTable, primaryKey, varchar } from 'drizzle-orm/mysql-core';

/** The tables that migrations/ makes. */
export const products = mysqlTable('products', {
  id: int({ unsigned: true }).autoincrement().primaryKey(),
  name: varchar({ length: 100 }).notNull(),
  price: int({ unsigned: true }).notNull(),
  stock: int({ unsigned: true }).notNull(),
});

export const orders = mysqlTable('orders', {
  id: int({ unsigned: true }).autoincrement().primaryKey(),
  customer: varchar({ length: 100 }).notNull(),
  placedAt: datetime('placed_at', { fsp: 3 }),
  total: int({ unsigned: true }).notNull(),
});

export const orderItems = mysqlTable(
  'order_items',
  {
    orderId: int('order_id', { unsigned: true }).notNull(),
    productId: int('product_id', { unsigned: true }).notNull(),
    quantity: int({ unsigned: true }).notNull(),
    price: int({ unsigned: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.orderId, table.productId] })],
);
