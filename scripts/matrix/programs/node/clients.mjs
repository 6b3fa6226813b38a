// Runs the clients named as arguments, one after another; a line for each: NAME, milliseconds, and the answer or "!" and why there is none.
import { connect } from "node:net";
import { get } from "node:http";
import { text } from "node:stream/consumers";
import process from "node:process";

const limit = 10_000;
const { DATABASE_USER: user, DATABASE_PASSWORD: password } = process.env;

function address(variable) {
  const value = process.env[variable];
  const colon = value.lastIndexOf(":");
  return { host: value.slice(0, colon), port: Number(value.slice(colon + 1)) };
}

const url = `http://${process.env.HTTP_ADDRESS}/multiply/6/7`;

/** A library as its users use it, loaded when it is its turn: asks a server for 6 times 7. */
const clients = {
  async fetch() {
    return await (await fetch(url)).text();
  },
  async undici() {
    const { request } = await import("undici");
    return await (await request(url)).body.text();
  },
  http() {
    return new Promise((resolve, reject) => get(url, (response) => resolve(text(response))).on("error", reject));
  },
  async axios() {
    const { default: axios } = await import("axios");
    return String((await axios.get(url)).data);
  },
  async got() {
    const { default: got } = await import("got");
    return await got(url, { retry: { limit: 0 } }).text();
  },
  async "@grpc/grpc-js"() {
    const { Client, credentials } = await import("@grpc/grpc-js");
    const client = new Client(process.env.GRPC_ADDRESS, credentials.createInsecure());
    try {
      return await new Promise((resolve, reject) => {
        const done = (error, answer) => error ? reject(error) : resolve(answer);
        client.makeUnaryRequest("/matrix.Calculator/Multiply", Buffer.from, String, "6*7", done);
      });
    } finally {
      client.close();
    }
  },
  async mysql2() {
    const { createConnection } = await import("mysql2/promise");
    const connection = await createConnection({ ...address("MARIADB_ADDRESS"), user, password });
    const [[{ answer }]] = await connection.query("SELECT 6 * 7 AS answer");
    await connection.end();
    return String(answer);
  },
  async pg() {
    const { default: pg } = await import("pg");
    const client = new pg.Client({ ...address("POSTGRES_ADDRESS"), user, password, database: "postgres" });
    await client.connect();
    const { rows } = await client.query("SELECT 6 * 7 AS answer");
    await client.end();
    return String(rows[0].answer);
  },
  async ioredis() {
    const { default: Redis } = await import("ioredis");
    const options = { password, retryStrategy: () => null, lazyConnect: true };
    const redis = new Redis({ ...address("REDIS_ADDRESS"), ...options });
    await redis.connect();
    const answer = await redis.eval("return 6 * 7", 0);
    redis.disconnect();
    return String(answer);
  },
  async amqplib() {
    const { connect } = await import("amqplib");
    const connection = await connect(`amqp://${process.env.RABBITMQ_ADDRESS}`);
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue("", { exclusive: true });
    channel.sendToQueue(queue, Buffer.from("42"));
    await channel.waitForConfirms();
    const message = await channel.get(queue, { noAck: true });
    await connection.close();
    return message.content.toString();
  },
  async kafkajs() {
    const { Kafka, logLevel } = await import("kafkajs");
    const brokers = [process.env.KAFKA_ADDRESS];
    const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 5, initialRetryTime: 100 } });
    const topic = `answers-${process.pid}`;
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value: "42" }] });
    await producer.disconnect();
    const consumer = kafka.consumer({ groupId: topic });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const answer = await new Promise((resolve, reject) => {
      const eachMessage = ({ message }) => Promise.resolve(resolve(message.value.toString()));
      consumer.run({ eachMessage }).catch(reject);
    });
    await consumer.disconnect();
    return answer;
  },
  async "net, pod's name"() {
    return await bareGet(address("POD_NAME_ADDRESS"));
  },
  async "net, pod's IP"() {
    return await bareGet(address("POD_ADDRESS"));
  },
};

async function bareGet(where) {
  const socket = connect(where);
  socket.write("GET /multiply/6/7 HTTP/1.0\r\n\r\n");
  const response = await text(socket);
  return response.slice(response.indexOf("\r\n\r\n") + 4);
}

async function run(name) {
  const started = performance.now();
  const late = new Promise((_, reject) => {
    setTimeout(reject, limit, new Error(`no answer within ${limit / 1000} s`)).unref();
  });
  const answer = await Promise.race([clients[name](), late]).catch((error) => {
    const { cause = error } = error;
    return `!${cause.errors?.[0] ?? cause}`.replaceAll(/\s+/g, " ");
  });
  process.stdout.write(`${name}\t${Math.round(performance.now() - started)}\t${answer}\n`);
}

for (const name of process.argv.slice(2)) await run(name);
process.exit(); // some libraries leave timers behind
