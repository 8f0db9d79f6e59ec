"""Asks libnghttp2 for one request and looks at its header sent: hpack.py AUTHORITY TOKEN. Prints how the authorization is represented."""
import ctypes
import sys


class Field(ctypes.Structure):
    _fields_ = [('name', ctypes.c_char_p), ('value', ctypes.c_char_p), ('name_len', ctypes.c_size_t), ('value_len', ctypes.c_size_t), ('flags', ctypes.c_uint8)]


library = ctypes.CDLL('libnghttp2.so.14')
library.nghttp2_session_mem_send.restype = ctypes.c_ssize_t
fields = [(b':method', b'GET'), (b':scheme', b'https'), (b':authority', sys.argv[1].encode()), (b':path', b'/x?jwt=' + sys.argv[2].encode())]
list_of = (Field * len(fields))(*[Field(name, value, len(name), len(value), 0) for name, value in fields])
callbacks, session, data = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.POINTER(ctypes.c_uint8)()
library.nghttp2_session_callbacks_new(ctypes.byref(callbacks))
library.nghttp2_session_client_new(ctypes.byref(session), callbacks, None)
library.nghttp2_submit_request.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p]
library.nghttp2_submit_request(session, None, list_of, len(fields), None, None)
sent = b''
while True:
    length = library.nghttp2_session_mem_send(session, ctypes.byref(data))
    if length <= 0:
        break
    sent += bytes(data[:length])
# RFC 7541: authorization is entry 23 of the static table; 0001xxxx begins a literal never indexed, 01xxxxxx one that is, 0000xxxx one that just is not.
representations = {b'\x1f\x08': 'never-indexed', b'\x57': 'indexed', b'\x0f\x08': 'not-indexed'}
found = 'plain'
at = 24                                     # behind the preface
while at < len(sent):
    length, kind = int.from_bytes(sent[at:at + 3], 'big'), sent[at + 3]
    if kind == 1:
        payload = sent[at + 9:at + 9 + length]
        for prefix, name in representations.items():
            # the value's length follows, Huffman-coded or not: two bytes at least for a token
            if any(payload[i:i + len(prefix)] == prefix and i + len(prefix) < length and payload[i + len(prefix)] & 0x7f > 40 for i in range(length)):
                found = name
                break
    at += 9 + length
print(found)
