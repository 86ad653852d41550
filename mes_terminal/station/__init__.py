"""The core: composition root and run loops, the only clock, the only id maker.

`lock` says who owns a database, `booking` journals and books scans on the one writing connection,
`worker` is the thread that does so in the core, `core` is the running process with its socket and
scanners. Imported by the command line only.
"""
