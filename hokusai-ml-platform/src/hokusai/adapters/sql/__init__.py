"""The ledger on a database: SQLite in a file of ours, or PostgreSQL.

- `tables`: what is kept, and the version of the schema that this code works with
- `engine`: connections, transactions, and the border where a database's errors become ours
- `schema`: how a database comes to have the tables: created, upgraded, or refused
- `trail`: the audit trail, and how anything is appended to it
- `index`, `attestations`, `benchmarks`, `ledger`: the ports on top
- `migrations`: how the tables came about, for databases that are older than the code
"""
