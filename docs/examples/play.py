#!/usr/bin/env python3
"""Plays the default patch, and prints what the engine tells: play.py [PORT]. Python's own library is enough."""
import socket
import struct
import sys
import time

PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 5005
engine = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
engine.connect(("127.0.0.1", PORT))
engine.settimeout(5)


def padded(text):
    data = text.encode() + b"\0"
    return data + b"\0" * (-len(data) % 4)


def send(address, *args):
    """Sends one OSC message: ints, floats, strings, True and False."""
    tags, body = ",", b""
    for a in args:
        if isinstance(a, bool):
            tags += "T" if a else "F"
        elif isinstance(a, int):
            tags, body = tags + "i", body + struct.pack(">i", a)
        elif isinstance(a, float):
            tags, body = tags + "f", body + struct.pack(">f", a)
        else:
            tags, body = tags + "s", body + padded(a)
    engine.send(padded(address) + padded(tags) + body)


def receive():
    """Receives one OSC message: its address, and its arguments."""
    data = engine.recv(65536)

    def text(at):
        end = data.index(b"\0", at)
        return data[at:end].decode(), (end + 4) // 4 * 4

    address, at = text(0)
    tags, at = text(at)
    args = []
    for tag in tags[1:]:
        if tag == "s":
            arg, at = text(at)
        elif tag in "TF":
            arg = tag == "T"
        else:
            arg, at = struct.unpack_from({"i": ">i", "f": ">f", "h": ">q", "d": ">d"}[tag], data, at)[0], at + (8 if tag in "hd" else 4)
        args.append(arg)
    return address, args


def until(address):
    """Prints what comes, up to the first message to an address."""
    while True:
        got, args = receive()
        print(got, *args)
        if got == address:
            return args


send("/notify", 1)  # be told what changes, for a minute
for note in (220.0, 277.18, 329.63, 440.0):
    send("/engine/freq", note)
    send("/gate/adsr1", True)
    time.sleep(0.2)
    send("/gate/adsr1", False)
    time.sleep(0.1)
send("/mod/filter1/cutoff", 1200.0)
send("/sync", 7)  # answered once all of that is certain to be played
until("/synced")
send("/get", "/mod/filter1/cutoff", "/engine/freq")
until("/engine/freq")
send("/notify", 0)
