"""Pages for a browser: each runs code that an engine compiles, WebAssembly as well, in a worker as well, and keeps
a connection open. pages.py FILE writes its port into the file."""

import http.server
import os
import sys
import time

PAGE = b"""<!doctype html><title>page</title><canvas></canvas><script>
function sum(n) { let s = 0; for (let i = 0; i < n; i++) s = (s + i * i) % 1000003; return s }
const code = `${sum}; setInterval(() => postMessage(sum(1e5)), 1000)`
const worker = new Worker(URL.createObjectURL(new Blob([code])))
const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3,
    97, 100, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11])
const stays = new EventSource('/stream')
WebAssembly.instantiate(bytes).then(it => {
    let s = 0
    for (let i = 0; i < 1e6; i++) s = it.instance.exports.add(s, i)
    setInterval(() => { document.title = sum(1e5) + s; /^(a|b)+c/.test('abababc') }, 1000)
})
const gl = document.querySelector('canvas').getContext('webgl')
if (gl) { gl.clearColor(0, 1, 0, 1); gl.clear(gl.COLOR_BUFFER_BIT) }
</script>"""


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        stream = self.path == "/stream"
        self.send_header("Content-Type", "text/event-stream" if stream else "text/html")
        self.end_headers()
        if not stream:
            self.wfile.write(PAGE)
            return
        while True:
            self.wfile.write(b"data: x\n\n")
            self.wfile.flush()
            time.sleep(2)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(server.server_port))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
