/** `GET /v1/database-budgets`: what the live apps may open on database servers. */
export interface DatabaseBudgetsBody {
  budgets: DatabaseBudgetBody[];
}

/** What one app may open on one server. */
export interface DatabaseBudgetBody {
  /** Its socket, or host and port. */
  server: string;
  app: string;
  connections: number;
}
