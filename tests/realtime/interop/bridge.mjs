// Official Socket.IO clients at the end of a pipe: one JSON command a line in, answers and events out.
// Argument: path of socket.io-client. Bytes travel as {"$bytes": base64}.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
const { io } = createRequire(import.meta.url)(process.argv[2]);

const packed = (value) =>
  Buffer.isBuffer(value) || value instanceof Uint8Array ? { $bytes: Buffer.from(value).toString("base64") }
  : value instanceof ArrayBuffer ? { $bytes: Buffer.from(value).toString("base64") }
  : Array.isArray(value) ? value.map(packed)
  : value && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, packed(v)]))
  : value;
const unpacked = (value) =>
  Array.isArray(value) ? value.map(unpacked)
  : value && typeof value === "object"
    ? "$bytes" in value
      ? Buffer.from(value.$bytes, "base64")
      : Object.fromEntries(Object.entries(value).map(([k, v]) => [k, unpacked(v)]))
  : value;
const tell = (what) => process.stdout.write(JSON.stringify(what) + "\n");

const clients = new Map(); // number -> { namespace: socket }

const open = (number, socket, namespace) =>
  new Promise((resolve) => {
    const hear = (event, args) => tell({ client: number, namespace, event, args: packed(args) });
    socket.onAny((event, ...args) => hear(event, args.filter((one) => typeof one !== "function")));
    socket.on("ask", (...args) => args.pop()(...args.reverse()));
    socket.on("disconnect", (reason) => hear("disconnect", [reason]));
    socket.on("connect", () => { hear("connect", []); resolve({ connected: true }); });
    socket.on("connect_error", (error) => resolve({ refused: { message: error.message, data: packed(error.data) } }));
  });

const operations = {
  async connect({ client, url, namespaces, auth, options }) {
    const [first, ...others] = namespaces;
    const socket = io(url + first, { auth, forceNew: true, reconnectionDelay: 10, randomizationFactor: 0, ...options });
    const sockets = { [first]: socket };
    clients.set(client, sockets);
    const answers = [open(client, socket, first)];
    for (const name of others) {
      sockets[name] = socket.io.socket(name, { auth });
      answers.push(open(client, sockets[name], name));
    }
    return Promise.all(answers);
  },
  emit({ client, namespace, event, args }) { clients.get(client)[namespace].emit(event, ...unpacked(args)); },
  call({ client, namespace, event, args }) {
    return new Promise((resolve) =>
      clients.get(client)[namespace].emit(event, ...unpacked(args), (...answer) => resolve(packed(answer))));
  },
  transport({ client }) { return engine(client).transport.name; },
  mute({ client }) { engine(client)._sendPacket = () => {}; }, // answers no ping any more
  drop({ client }) { engine(client).transport.ws.terminate(); }, // the connection is gone, without a word
  leave({ client, namespace }) { clients.get(client)[namespace].disconnect(); },
  close({ client }) {
    const sockets = Object.values(clients.get(client) ?? {});
    for (const socket of sockets) socket.disconnect();
    sockets[0]?.io.engine?.close();
  },
};
const engine = (client) => Object.values(clients.get(client))[0].io.engine;

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  Promise.resolve()
    .then(() => operations[command.operation](command))
    .then((answer) => tell({ id: command.id, answer: answer ?? null }), (error) => tell({ id: command.id, error: String(error) }));
}
process.exit(0);
