"""Prints what each URL answers, asked by urllib and by requests."""

import sys
import urllib.request

try:
    import requests
except ImportError:
    sys.exit("Python's requests is not installed: apt-get install python3-requests")

for url in sys.argv[1:]:
    with urllib.request.urlopen(url, timeout=30) as answer:
        print(answer.read().decode().strip())
    print(requests.get(url, timeout=30).text.strip())
