import { and, eq, gte, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/mysql2';
import { transaction } from 'fnrun/mysql';
import { orderItems, orders, products } from './schema.ts';

/** A product, and how many of it. */
export interface Wanted {
  product: number;
  quantity: number;
}

/** What is not there, or not in that number. */
export class OutOfStock extends Error {
  readonly product: number;

  constructor(product: number) {
    super(`There is not enough of product ${product}`);
    this.product = product;
  }
}

/**
 * Takes the goods from the stock and writes the order: all of it, or nothing. Two that want the last one do not both get
 * it, and after a deadlock `transaction` calls this again.
 */
export function placeOrder(customer: string, wanted: readonly Wanted[]): Promise<{ id: number; total: number }> {
  return transaction(async (connection) => {
    const db = drizzle({ client: connection });
    const items = [];
    // Always in the same order: two orders of the same goods wait for each other, instead of a deadlock.
    for (const { product, quantity } of wanted.toSorted((a, b) => a.product - b.product)) {
      const [taken] = await db
        .update(products)
        .set({ stock: sql`${products.stock} - ${quantity}` })
        .where(and(eq(products.id, product), gte(products.stock, quantity)));
      if (taken.affectedRows === 0) throw new OutOfStock(product);
      const [row] = await db.select({ price: products.price }).from(products).where(eq(products.id, product));
      items.push({ productId: product, quantity, price: row!.price });
    }
    const total = items.reduce((sum, { quantity, price }) => sum + quantity * price, 0);
    const [made] = await db.insert(orders).values({ customer, total });
    await db.insert(orderItems).values(items.map((item) => ({ orderId: made.insertId, ...item })));
    return { id: made.insertId, total };
  });
}
