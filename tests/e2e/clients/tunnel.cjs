// deno-lint-ignore-file no-console -- it is there to print

// Prints what each URL answers, asked by node:http as programs do that know proxies themselves: the whole URL to the proxy, then through a
// tunnel of its own.
const http = require("node:http");

const proxy = new URL(process.env.HTTP_PROXY);

async function main() {
  for (const url of process.argv.slice(2)) {
    const { host } = new URL(url);
    console.log(await body({ host: proxy.hostname, port: proxy.port, path: url, headers: { host } }));
    const socket = await tunnel(new URL(url));
    console.log(await body({ path: "/", headers: { host }, createConnection: () => socket }));
  }
}

function tunnel({ hostname, port }) {
  const asked = { host: proxy.hostname, port: proxy.port, method: "CONNECT", path: `${hostname}:${port || 80}` };
  return new Promise((resolve, reject) => {
    http.request(asked).on("connect", ({ statusCode }, socket) => {
      if (statusCode === 200) resolve(socket);
      else reject(new Error(`CONNECT: ${statusCode}`));
    }).on("error", reject).end();
  });
}

function body(options) {
  return new Promise((resolve, reject) => {
    http.get(options, (answer) => {
      answer.setEncoding("utf8").toArray().then((parts) => resolve(parts.join("").trim()), reject);
    }).on("error", reject);
  });
}

main();
