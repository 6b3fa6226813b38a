/** SPDY/3's dictionary (draft-mbelshe-httpbis-spdy-00, section 2.6.10.1): words with their length before them, then loose text. */
export const spdyDictionary: Uint8Array = dictionary();

function dictionary(): Uint8Array {
  const words =
    ("options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization " +
      "cache-control connection content-base content-encoding content-language content-length content-location content-md5 " +
      "content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range " +
      "if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer " +
      "retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status")
      .split(" ").concat("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin");
  const loose = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505" +
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden" +
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable" +
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT" +
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,public" +
    "privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
  const length = (word: string) => String.fromCharCode(0, 0, 0, word.length);
  return Uint8Array.from(words.map((word) => length(word) + word).join("") + loose, (c) => c.charCodeAt(0));
}
