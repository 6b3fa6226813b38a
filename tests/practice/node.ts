/** The one node of the practice cluster. The API server is there too, as pods see it. */
export const node = { name: "practice", address: "192.168.88.2" } as const;
