/*kevolve
{"idea": "i", "launches": [{"k