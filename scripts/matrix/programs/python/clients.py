"""Runs the clients named as arguments, one after another; a line for each: NAME, milliseconds, and the answer or "!" and why there is none."""
import asyncio
import os
import socket
import sys
import time
import urllib.request

LIMIT = 10
USER = os.environ["DATABASE_USER"]
PASSWORD = os.environ["DATABASE_PASSWORD"]


def address(variable):
    host, _, port = os.environ[variable].rpartition(":")
    return host, int(port)


def url():
    return "http://%s/multiply/6/7" % os.environ["HTTP_ADDRESS"]


def urllib_request():
    return urllib.request.urlopen(url(), timeout=LIMIT).read().decode()


def requests():
    import requests
    return requests.get(url(), timeout=LIMIT).text


def httpx():
    import httpx
    return httpx.get(url(), timeout=LIMIT).text


def psycopg2():
    import psycopg2
    host, port = address("POSTGRES_ADDRESS")
    connection = psycopg2.connect(
        host=host, port=port, user=USER, password=PASSWORD, dbname="postgres", connect_timeout=LIMIT)
    cursor = connection.cursor()
    cursor.execute("SELECT 6 * 7")
    return cursor.fetchone()[0]


def pymysql():
    import pymysql
    host, port = address("MARIADB_ADDRESS")
    connection = pymysql.connect(host=host, port=port, user=USER, password=PASSWORD, connect_timeout=LIMIT)
    cursor = connection.cursor()
    cursor.execute("SELECT 6 * 7")
    return cursor.fetchone()[0]


def redis():
    import redis
    host, port = address("REDIS_ADDRESS")
    return redis.Redis(host, port, password=PASSWORD, socket_timeout=LIMIT).eval("return 6 * 7", 0)


def pika():
    import pika
    host, port = address("RABBITMQ_ADDRESS")
    connection = pika.BlockingConnection(pika.ConnectionParameters(host, port, blocked_connection_timeout=LIMIT))
    channel = connection.channel()
    channel.confirm_delivery()
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.basic_publish("", queue, b"42")
    _, _, body = channel.basic_get(queue, auto_ack=True)
    connection.close()
    return body.decode()


REQUEST = b"GET /multiply/6/7 HTTP/1.0\r\n\r\n"


def pod_name():
    with socket.create_connection(address("POD_NAME_ADDRESS"), timeout=LIMIT) as connection:
        connection.sendall(REQUEST)
        with connection.makefile("rb") as response:
            return response.read().partition(b"\r\n\r\n")[2].decode()


def pod_ip():
    async def ask():
        reader, writer = await asyncio.open_connection(*address("POD_ADDRESS"))
        writer.write(REQUEST)
        response = await reader.read(-1)
        writer.close()
        return response.partition(b"\r\n\r\n")[2].decode()
    return asyncio.run(asyncio.wait_for(ask(), LIMIT))


CLIENTS = {
    "urllib": urllib_request, "requests": requests, "httpx": httpx, "psycopg2": psycopg2, "pymysql": pymysql,
    "redis-py": redis, "pika": pika, "socket, pod's name": pod_name, "asyncio, pod's IP": pod_ip,
}

for name in sys.argv[1:]:
    started = time.monotonic()
    try:
        answer = str(CLIENTS[name]())
    except Exception as error:
        answer = "!" + " ".join(repr(error).split())
    print(name, round((time.monotonic() - started) * 1000), answer, sep="\t", flush=True)
