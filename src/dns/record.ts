/** A resource record of class IN. Names are in presentation format without trailing dot (RFC 1035 §5.1), `ttl` is in seconds. */
export type DnsRecord =
  & { readonly name: string; readonly ttl: number }
  & (
    | { readonly type: "A" | "AAAA"; readonly address: string }
    | { readonly type: "CNAME" | "PTR"; readonly domain: string }
    | {
      readonly type: "SRV";
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
    /** Strings of at most 255 bytes each. */
    | { readonly type: "TXT"; readonly data: string[] }
    | {
      readonly type: "SOA";
      readonly primary: string;
      readonly admin: string;
      readonly serial: number;
      readonly refresh: number;
      readonly retry: number;
      readonly expiration: number;
      readonly minimum: number;
    }
  );
