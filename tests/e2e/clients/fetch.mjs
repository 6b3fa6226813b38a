// deno-lint-ignore-file no-console -- it is there to print

// Prints what each URL answers: http(s) asked by fetch and by node:http(s), ws(s) by WebSocket. For Node 22 and later, which know the
// proxies of the environment.
import http from "node:http";
import https from "node:https";

for (const url of process.argv.slice(2)) {
  if (url.startsWith("ws")) {
    console.log(await whisper(url));
  } else {
    console.log((await (await fetch(url)).text()).trim());
    console.log((await get(url)).trim());
  }
}

function get(url) {
  return new Promise((resolve, reject) => {
    const { get } = url.startsWith("https:") ? https : http;
    get(url, (answer) => answer.setEncoding("utf8").toArray().then((parts) => resolve(parts.join("")), reject))
      .on("error", reject);
  });
}

function whisper(url) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send("hello");
    socket.onmessage = ({ data }) => {
      resolve(data);
      socket.close();
    };
    socket.onerror = ({ error, message }) => reject(error ?? new Error(message));
  });
}
