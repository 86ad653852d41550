"""The bridge to Tryton: what stations posted becomes its stock, its orders come down to stations.

It runs at the site, once for all stations, and talks to a Tryton server by its JSON-RPC only.
"""
