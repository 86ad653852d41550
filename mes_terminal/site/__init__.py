"""The receiver for many stations: PostgreSQL, its own SQL (optional extra `site`).

Takes postings by HTTP, NATS JetStream, MQTT and from folders, each exactly once, keeps the ledger
of all stations, finds what none of them alone can see, and sends orders and holds down.
"""
