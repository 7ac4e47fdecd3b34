import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/mysql2';
import type { Context } from 'fnrun';
import { pool } from 'fnrun/mysql';
import { orderItems, orders, products } from '../../_shop/schema.ts';

const db = drizzle({ client: pool });

export async function GET(_request: Request, ctx: Context): Promise<Response> {
  const id = Number(ctx.params.id);
  if (!Number.isInteger(id) || id < 1) return Response.json({ error: 'an order has a number' }, { status: 400 });
  const [order] = await db.select().from(orders).where(eq(orders.id, id));
  if (order === undefined) return Response.json({ error: `there is no order ${id}` }, { status: 404 });
  const items = await db
    .select({ product: products.name, quantity: orderItems.quantity, price: orderItems.price })
    .from(orderItems)
    .innerJoin(products, eq(products.id, orderItems.productId))
    .where(eq(orderItems.orderId, id))
    .orderBy(products.id);
  return Response.json({ ...order, items });
}
