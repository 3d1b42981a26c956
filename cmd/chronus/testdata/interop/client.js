// Plays with npm's osc over one transport: node client.js udp|tcp|websocket PORT. Prints what comes back, a line each.
const osc = require("osc");
const [transport, port] = [process.argv[2], Number(process.argv[3])];
const make = {
  udp: () => new osc.UDPPort({ localAddress: "127.0.0.1", localPort: 0, remoteAddress: "127.0.0.1", remotePort: port, metadata: true }),
  tcp: () => new osc.TCPSocketPort({ address: "127.0.0.1", port, metadata: true }),
  websocket: () => new osc.WebSocketPort({ url: `ws://127.0.0.1:${port}`, metadata: true }),
};
const p = make[transport]();
let left = 6;
p.on("message", (m) => {
  console.log([m.address, ...m.args.map((a) => a.value)].join(" "));
  if (--left === 0) process.exit(0);
});
p.on("error", (e) => { console.log("error", e.message); process.exit(1); });
p.on("ready", () => {
  p.send({ address: "/mod/filter1/cutoff", args: [{ type: "f", value: 800 }] });
  p.send({ address: "/mod/filter1/cutof", args: [{ type: "i", value: 800 }] });
  p.send({ address: "/mod/*/q", args: [{ type: "d", value: 0.5 }] });
  p.send({
    timeTag: osc.timeTag(0.1),
    packets: [
      { address: "/engine/freq", args: [{ type: "f", value: 300 }] },
      { address: "/gate/adsr1", args: [{ type: "T" }] },
    ],
  });
  p.send({ address: "/engine/status", args: [] });
});
p.open();
setTimeout(() => { console.log("time is up"); process.exit(1); }, 10000);
