// Node's Socket.IO at its best: WebSocket frames made once a room, no compression, the sharded adapter.
// node server.js PORT REDIS_URL TICK_MS (0: every message at once)
const { createServer } = require('node:http');
const { createShardedAdapter } = require('@socket.io/redis-adapter');
const { createClient } = require('redis');
const { Server } = require('socket.io');

const [port, redis, tick] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4])];
const ROOM = 'room';

async function main() {
  const server = createServer();
  const io = new Server(server, { perMessageDeflate: false });
  const [publisher, subscriber] = [createClient({ url: redis }), createClient({ url: redis })];
  await Promise.all([publisher.connect(), subscriber.connect()]);
  io.adapter(createShardedAdapter(publisher, subscriber, { subscriptionMode: 'dynamic' }));
  let waiting = [];
  if (tick) {
    setInterval(() => {
      if (waiting.length) io.to(ROOM).emit('chat', waiting.splice(0));
    }, tick);
  }
  io.on('connection', (socket) => {
    socket.join(ROOM);
    socket.on('chat', (entry) => (tick ? waiting.push(entry) : io.to(ROOM).emit('chat', entry)));
  });
  server.listen({ port, host: '127.0.0.1', backlog: 4096 });
}

main();
