import { drizzle } from 'drizzle-orm/mysql2';
import { pool } from 'fnrun/mysql';
import { products } from '../_shop/schema.ts';

const db = drizzle({ client: pool });

export async function GET(): Promise<Response> {
  return Response.json(await db.select().from(products).orderBy(products.id));
}
