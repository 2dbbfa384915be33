"""Hostile bytes: our WebSocket parser beside `wsproto`, and broken Socket.IO packets against a real node."""
