import type { ServerResponse } from "node:http";
import type { Counters } from "./counters.ts";
import type { KubeObject } from "./kube_object.ts";
import { StatusError } from "./status_error.ts";
import type { Change, Store } from "./store.ts";

/** What one watch is for. */
export interface WatchRequest {
  /** Key of the resource table. */
  readonly resource: string;
  /** Undefined for all namespaces. */
  readonly namespace: string | undefined;
  readonly kind: string;
  readonly apiVersion: string;
  readonly selects: (object: KubeObject) => boolean;
  readonly represent: (object: KubeObject) => KubeObject;
  /** Empty or `0`: what exists comes first, as ADDED. */
  readonly resourceVersion: string;
  readonly bookmarks: boolean;
  /** Says by a bookmark when all that exists has been sent. */
  readonly sendInitialEvents: boolean;
  /** Seconds after which the watch ends in good order; 0 for never. */
  readonly timeout: number;
}

/** A bookmark comes this often; about once a minute on a real server. */
const bookmarkInterval = 1000;

/** Serves watches, and knows those that are open. */
export class Watches {
  readonly #store: Store;
  readonly #counters: Counters;
  readonly #open = new Set<{ readonly response: ServerResponse; flush(): void }>();
  #silent = false;

  constructor(store: Store, counters: Counters) {
    this.#store = store;
    this.#counters = counters;
  }

  /** Answers with a stream of events, one JSON object a line. */
  serve(response: ServerResponse, request: WatchRequest): void {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.flushHeaders();
    const waiting: string[] = [];
    const say = (type: string, object: unknown) => {
      waiting.push(JSON.stringify({ type, object }) + "\n");
      watch.flush();
    };
    const watch = {
      response,
      flush: () => {
        if (!this.#silent && waiting.length > 0) response.write(waiting.splice(0).join(""));
      },
    };
    const bookmark = (annotations?: Record<string, string>) => {
      const metadata = { resourceVersion: String(this.#store.revision), creationTimestamp: null, annotations };
      say("BOOKMARK", { kind: request.kind, apiVersion: request.apiVersion, metadata });
    };
    const tell = (change: Change) => {
      const event = eventOf(change, request);
      if (event) say(event.type, request.represent(event.object));
    };
    let beats: ReturnType<typeof setInterval> | undefined;
    let end: ReturnType<typeof setTimeout> | undefined;
    let unsubscribe = () => {};
    this.#open.add(watch);
    this.#counters.openWatches++;
    response.on("close", () => {
      clearInterval(beats);
      clearTimeout(end);
      unsubscribe();
      this.#open.delete(watch);
      this.#counters.openWatches--;
    });
    response.on("error", () => {}); // the client is gone; "close" follows
    try {
      if (request.resourceVersion === "" || request.resourceVersion === "0" || request.sendInitialEvents) {
        for (const object of this.#store.list(request.resource, request.namespace)) {
          if (request.selects(object)) say("ADDED", request.represent(object));
        }
        if (request.sendInitialEvents) bookmark({ "k8s.io/initial-events-end": "true" });
      } else for (const change of this.#store.since(Number(request.resourceVersion))) tell(change);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      say("ERROR", error.toJSON()); // where a real server says so too: the answer's status is 200
      response.end();
      return;
    }
    unsubscribe = this.#store.onChange(tell);
    if (request.bookmarks) beats = setInterval(bookmark, bookmarkInterval);
    if (request.timeout > 0) {
      end = setTimeout(() => {
        if (request.bookmarks) bookmark();
        response.end();
      }, request.timeout * 1000);
    }
  }

  /** Ends all in good order. */
  end(): void {
    for (const { response } of [...this.#open]) response.end();
  }

  /** Ends all without a word. */
  cut(): void {
    for (const { response } of [...this.#open]) response.destroy();
  }

  /** Holds back, or lets go, everything. */
  silence(silent: boolean): void {
    this.#silent = silent;
    for (const watch of this.#open) watch.flush();
  }
}

/** A change as a watch with a selector sees it: what leaves the selection is deleted, what enters it is added. */
function eventOf(change: Change, request: WatchRequest): { type: string; object: KubeObject } | undefined {
  const { object, previous } = change;
  if (change.resource !== request.resource) return undefined;
  if (request.namespace !== undefined && object.metadata.namespace !== request.namespace) return undefined;
  const was = previous !== undefined && request.selects(previous);
  const is = change.type !== "DELETED" && request.selects(object);
  if (!was && !is) return undefined;
  return { type: !is ? "DELETED" : was ? "MODIFIED" : "ADDED", object };
}
