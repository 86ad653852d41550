"""The road to whoever receives the postings: the relay drains the outbox through one connector.

`connector` says what a connector promises, `connectors` has one file each, `relay` keeps order,
window and back-off, `inbound` takes what comes down. Nothing here touches the database: the station
gives the relay its way to the outbox.
"""
