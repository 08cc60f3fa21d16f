#!/usr/bin/env python3
"""Reads an MRT file with mrtparse 2 and prints the number of routes.

    mrtparse_routes.py [--digest] FILE

With --digest also the digest of bench/src/hash.rs (`Routes`); without it every record is decoded
and nothing more is done, which is what is timed.
"""

import ipaddress
import sys

import mrtparse

MASK = (1 << 64) - 1
AS_TRANS = "23456"


def fnv1a(octets):
    value = 0xCBF29CE484222325
    for octet in octets:
        value = (value ^ octet) * 0x100000001B3 & MASK
    return value


def key(value):
    """The number in mrtparse's {number: name}."""
    return next(iter(value))


def hops(segments):
    """Hops of a path as RFC 4271 9.1.2.2 counts them: (kind, [asn]), a set being one."""
    for segment in segments:
        kind = key(segment["type"])
        if kind == 2:
            for asn in segment["value"]:
                yield kind, [asn]
        else:
            yield kind, segment["value"]


def path_of(attributes, is_as2):
    """AS_PATH merged with AS4_PATH (RFC 6793 4.2.3)."""
    path = list(hops(attributes.get(2, [])))
    as4 = list(hops(attributes.get(17, [])))
    aggregator = attributes.get(7)
    is_new = aggregator is None or aggregator["as"] == AS_TRANS
    if is_as2 and 17 in attributes and is_new and len(as4) <= len(path):
        path = path[: len(path) - len(as4)] + as4
    return " ".join(text(kind, asns) for kind, asns in path)


def text(kind, asns):
    if kind == 1:
        return "{" + ",".join(asns) + "}"
    if kind == 3:
        return "(" + " ".join(asns) + ")"
    if kind == 4:
        return "[" + ",".join(asns) + "]"
    return " ".join(asns)


def prefix_of(nlri):
    network = ipaddress.ip_network((nlri["prefix"], nlri["length"]), strict=False)
    return str(network)


def attributes_of(listed):
    # Of an attribute given twice the first counts (RFC 7606 3 g).
    attributes = {}
    for attribute in listed:
        attributes.setdefault(key(attribute["type"]), attribute.get("value"))
    return attributes


def table_entries(data, peers):
    prefix = prefix_of(data)
    for entry in data["rib_entries"]:
        peer = peers[entry["peer_index"]]
        path = path_of(attributes_of(entry["path_attributes"]), False)
        time = int(key(entry["originated_time"])) * 1000000
        yield f"{time}|{peer['peer_ip']}|{peer['peer_as']}|A|{prefix}|{path}"


def messages(data, micros):
    update = data["bgp_message"]
    if key(update["type"]) != 2:
        return
    time = int(key(data["timestamp"])) * 1000000 + micros
    head = f"{time}|{ipaddress.ip_address(data['peer_ip'])}|{data['peer_as']}"
    attributes = attributes_of(update["path_attributes"])
    withdrawn = update["withdrawn_routes"] + attributes.get(15, {}).get("withdrawn_routes", [])
    for nlri in withdrawn:
        yield f"{head}|W|{prefix_of(nlri)}|"
    path = path_of(attributes, key(data["subtype"]) in (1, 6, 8, 10))
    for nlri in update["nlri"] + attributes.get(14, {}).get("nlri", []):
        yield f"{head}|A|{prefix_of(nlri)}|{path}"


def routes(file):
    peers = []
    for record in mrtparse.Reader(file):
        data = record.data
        if "peer_entries" in data:
            peers = data["peer_entries"]
        elif "rib_entries" in data:
            yield from table_entries(data, peers)
        elif "bgp_message" in data:
            yield from messages(data, data.get("microsecond_timestamp", 0))


def elements(data):
    """Number of routes of a record."""
    if "rib_entries" in data:
        return len(data["rib_entries"])
    update = data.get("bgp_message", {})
    count = len(update.get("withdrawn_routes", ())) + len(update.get("nlri", ()))
    for attribute in update.get("path_attributes", ()):
        if key(attribute["type"]) == 14:
            count += len(attribute["value"]["nlri"])
        elif key(attribute["type"]) == 15:
            count += len(attribute["value"]["withdrawn_routes"])
    return count


def main():
    file = sys.argv[-1]
    if "--digest" in sys.argv:
        count = digest = 0
        for route in routes(file):
            count += 1
            digest = (digest + fnv1a(route.encode())) & MASK
        print(f"{count} {digest:016x} {file}")
    else:
        print(f"{sum(elements(record.data) for record in mrtparse.Reader(file))} - {file}")


if __name__ == "__main__":
    main()
