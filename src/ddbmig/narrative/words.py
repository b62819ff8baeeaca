"""The words that the guard looks for."""

import re

_VOCABULARY = """DynamoDB MySQL SQL AWS GSI GSIs Query Scan GetItem PutItem UpdateItem DeleteItem BatchGetItem
TransactWriteItems RRU RRUs WRU WRUs RCU WCU USD US KB MB GB TB PB CloudWatch Amazon JSON NULL B API Local TTL"""
VOCABULARY = frozenset(_VOCABULARY.split())
"""Proper names of the field, which any prose may use."""
_ORDINARY = """a an the one each this that its their own single same other another new old first second next last base
main child parent source target separate extra additional secondary global look-up lookup join small large wide copied
key sort partition composite mysql dynamodb per by of in on to from and or with which whole different several many few
some any no more fewer original resulting existing for as into corresponding respective such"""
ORDINARY = frozenset(_ORDINARY.split())
"""Words before “table” and the like that name none."""
ELSEWHERE = re.compile(
    r"(?i)\b(?:aurora|redis|memcached|mongodb|cassandra|postgres(?:ql)?|oracle|mariadb|dax|elasticache|lambda|s3|rds|"
    r"opensearch|elasticsearch|kafka|kinesis|spanner|bigtable|cosmos|scylla(?:db)?|snowflake|redshift|neptune)\b"
)
QUANTITY_WORD = re.compile(
    r"(?i)\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    r"eighteen|nineteen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundreds?|thousands?|millions?|billions?|"
    r"trillions?|dozens?|half|halves|halv\w+|thirds|quarters?|doubl\w+|tripl\w+|quadrupl\w+|twice|thrice|\w+fold|"
    r"majority|most|couple|zero|nil|single-digit|double-digit|order of magnitude|orders of magnitude)\b"
)
STRONG = re.compile(
    r"(?i)\b(?:guarante\w*|certain(?:ly|ty)?|definite(?:ly)?|undoubted\w*|doubtless|always|never|impossible|"
    r"inevitabl\w*|absolute(?:ly)?|complete(?:ly)?|full(?:y)?|entire(?:ly)?|perfect(?:ly)?|flawless\w*|ideal(?:ly)?|"
    r"best|worst|fastest|safest|cheapest|simplest|lowest|highest|fewest|largest|smallest|safe(?:ly)?|secure(?:ly)?|"
    r"risk-free|riskless|effortless\w*|seamless\w*|all|every|everything|none|nothing|cannot|verified|confirmed|"
    r"ensures?|eliminat\w+|without (?:any )?(?:risk|loss|doubt)|no (?:risk|doubt|loss|downtime|question)|"
    r"sure|surely|assured?|unquestion\w*|indisputabl\w*|must|only)\b"
)
PROVED = re.compile(r"(?i)\b(?:prove[dsn]?|proof|proves|proving|demonstrably)\b")
OPTIMAL = re.compile(r"(?i)\b(?:optimal(?:ly)?|optimum|optimi[sz]ed)\b")
ITSELF = re.compile(
    r"(?i)\b(?:I|I'm|I’m|my|me|myself)\b|\b(?:as an ai|language model|system prompt|previous instructions|"
    r"instructions?|assistant|sorry)\b"
)
OUTCOMES = {"separate": r"separat\w*", "denormalize": r"de-?normali[sz]\w*", "embed": r"embed\w*",
             "collocate": r"co-?ll?ocat\w*", "undecided": r"undecided"}  # fmt: skip
SMALL_WORDS = frozenset({"a", "an", "per", "one", "not", "no", "in", "of", "is", "to", "and", "or"})
