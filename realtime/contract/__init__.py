"""The socket's contract in other people's words: AsyncAPI, TypeScript types, the tables of docs/events.md.

All of it is made from `realtime.events`, `realtime.disconnects` and the errors, and nothing but them.
"""
