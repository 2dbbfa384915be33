"""One suite, the official clients, every transport: run against stock python-socketio and against our server."""
