import { OutOfStock, placeOrder } from '../_shop/place-order.ts';
import type { Wanted } from '../_shop/place-order.ts';

/** `{ "customer": "Ada", "items": [{ "product": 1, "quantity": 2 }] }` */
export async function POST(request: Request): Promise<Response> {
  const order = readOrder(await request.json().catch(() => null));
  if (order === null) return Response.json({ error: 'an order needs a customer and items' }, { status: 400 });
  try {
    const { id, total } = await placeOrder(order.customer, order.items);
    return Response.json({ id, total }, { status: 201, headers: { location: `/orders/${id}` } });
  } catch (error) {
    if (!(error instanceof OutOfStock)) throw error;
    return Response.json({ error: error.message, product: error.product }, { status: 409 });
  }
}

function readOrder(input: unknown): { customer: string; items: Wanted[] } | null {
  const { customer, items } = (input ?? {}) as { customer?: unknown; items?: unknown };
  if (typeof customer !== 'string' || customer === '' || customer.length > 100) return null;
  if (!Array.isArray(items) || items.length === 0 || items.length > 50) return null;
  const quantities = new Map<number, number>();
  for (const item of items as Partial<Wanted>[]) {
    const { product, quantity } = item ?? {};
    if (!isCount(product) || !isCount(quantity)) return null;
    quantities.set(product, (quantities.get(product) ?? 0) + quantity);
  }
  return { customer, items: [...quantities].map(([product, quantity]) => ({ product, quantity })) };
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 10_000;
}
