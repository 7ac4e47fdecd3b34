import { Hono } from 'hono';
import { z } from 'zod';

const NewBook = z.object({ title: z.string().min(1), year: z.number().int() });
type Book = z.infer<typeof NewBook> & { id: number };

// A worker's memory: it lasts as long as the worker. One worker, so that all requests see the same books.
export const config = { maxWorkers: 1 };
const books = new Map<number, Book>([[1, { id: 1, title: 'The Mythical Man-Month', year: 1975 }]]);
let lastId = 1;

// A Hono app has a `fetch` method, so it owns everything below its folder: /api and /api/*.
const app = new Hono().basePath('/api');

app.get('/books', (c) => c.json([...books.values()]));

app.get('/books/:id', (c) => {
  const book = books.get(Number(c.req.param('id')));
  return book === undefined ? c.json({ error: 'no such book' }, 404) : c.json(book);
});

app.post('/books', async (c) => {
  const input = NewBook.safeParse(await c.req.json().catch(() => null));
  if (!input.success) return c.json({ error: z.flattenError(input.error) }, 400);
  const book = { id: ++lastId, ...input.data };
  books.set(book.id, book);
  return c.json(book, 201, { location: `/api/books/${book.id}` });
});

app.delete('/books/:id', (c) => c.body(null, books.delete(Number(c.req.param('id'))) ? 204 : 404));

export default app;
