"""The published catalogue of facts: the only names a rule may use. It is the API of the product.

`relationship_facts.py`, `table_facts.py` and `pattern_facts.py` compute those of stage 2, `review.py` those of
alternatives, indexes and the validation; the gate knows its waivers. A fact that may be missing has to be guarded in a
rule.
"""

from collections.abc import Iterator, Mapping
from typing import get_args

from ddbmig.engine.expressions import FactType, Kind
from ddbmig.model.assessment import Phase
from ddbmig.model.base import Value

CATALOGUE_VERSION = 2

PHASES: tuple[Phase, ...] = get_args(Phase)


class FactDefinition(Value):
    """One name of the catalogue: where it applies, its type and unit, what it means and where it is measured."""

    name: str
    applies_to: Phase
    kind: Kind
    unit: str
    may_be_missing: bool
    values: tuple[str, ...] = ()
    """The closed list of a text fact, where it has one."""
    meaning: str
    measured: str

    def type(self) -> FactType:
        """What the condition language must know."""
        return FactType(self.kind, self.unit, self.may_be_missing, self.values)


_MEASURED = {
    "log": "query logs", "data": "data or live statistics", "schema": "schema", "person": "context in ddbmig.yaml",
    "log+data": "query logs and data", "data+person": "data, and growth declared in ddbmig.yaml",
    "server": "settings of a live server", "design": "the alternative's structures", "plans": "the alternative's plans",
    "proof": "stage 4", "waivers": "waivers.yaml",
}  # fmt: skip

# name | kind | unit | ? = may be missing | measured | meaning
_TABLE = """
[relationship]
relationship.child           | text   |           |   | schema | id of the child table: `schema.name`, or `name` where the DDL names no schema
relationship.parent          | text   |           |   | schema | id of the parent table
relationship.child_columns   | list   |           |   | schema | the child's columns that name its parent
workload.logged_calls        | number | calls     |   | log  | calls of all statements in the logs: how much it means that a table was not asked for
reads.joint_share            | number | share     | ? | log  | calls reading both tables ÷ calls reading either; one call: a transaction, else an N+1 run, else a statement; of a table with itself: calls with a statement that joins it so
reads.one_statement_share    | number | share     | ? | log  | the part of the joint share where one statement reads both
reads.same_transaction_share | number | share     | ? | log  | the part where different statements of one transaction do; missing where the source tells no order of statements
reads.per_row_share          | number | share     | ? | log  | the part where a statement and its follow-ups per row (an N+1 run outside of a transaction) do; missing where the source tells no order of statements
reads.share_of_child         | number | share     | ? | log  | joint calls ÷ calls reading the child
reads.share_of_parent        | number | share     | ? | log  | joint calls ÷ calls reading the parent
reads.calls_per_day          | number | calls/day |   | log  | calls reading either table
reads.joint_calls_per_day    | number | calls/day |   | log  | calls reading both tables
reads.within_one_second_share | number | share    | ? | log  | statements on both tables on one connection within a second, in different calls ÷ calls reading either, 1 at most; missing where the source tells no order of statements
reads.collection_share       | number | share     | ? | log  | statements that ask for the children of given parents ÷ statements reading the child
copies.columns               | number | columns   | ? | log  | parent columns beyond the join key that joins and the look-ups of N+1 runs take: what a copy would hold; missing where there are neither
copies.names                 | list   |           | ? | log  | the names of those columns
copies.bytes                 | number | bytes     | ? | log+data | the average size of their values
writes.parent_per_day        | number | calls/day |   | log  | statements writing the parent
writes.child_per_day         | number | calls/day |   | log  | statements writing the child
writes.copied_columns_per_day | number | calls/day |  | log  | statements updating the columns that a copy would hold
writes.reads_per_parent_write | number |          | ? | log  | joint calls ÷ updates of the copied columns; missing without such updates
writes.fan_out_per_day       | number | items/day | ? | log+data | items that would be rewritten to keep copies right: updates of copied columns × average children
writes.amplification         | number | ×         | ? | log+data | writes with copies ÷ writes without
updates.parent_per_day       | number | calls/day |   | log  | UPDATEs of the parent
updates.child_per_day        | number | calls/day |   | log  | UPDATEs of the child
updates.together_share       | number | share     | ? | log  | of the transactions writing either table, those writing both; a statement outside of one is its own; missing where the source tells no order of statements
updates.paths                | number | patterns  |   | log  | access patterns that update copied columns
children.average             | number | rows      | ? | data | children per parent that has any
children.p99                 | number | rows      | ? | data | children per parent, 99th percentile
children.max                 | number | rows      | ? | data | children of the largest parent
children.orphans             | number | rows      | ? | data | children whose parent does not exist
children.bounded             | bool   |           | ? | data | the 99th percentile of children takes less than 50 KB
size.child_bytes             | number | bytes     | ? | data | average item size of one child row
size.parent_bytes            | number | bytes     | ? | data | average item size of one parent row
size.combined_bytes          | number | bytes     | ? | data | parent and the 99th percentile of its children
size.largest_bytes           | number | bytes     | ? | data | parent and the most children that one has
size.projected_12_months     | number | bytes     | ? | data+person | combined size after twelve months of the declared growth; missing for a growth beyond ±100 % a month
size.projected_36_months     | number | bytes     | ? | data+person | combined size after thirty-six months of the declared growth; missing for a growth beyond ±100 % a month
size.months_to_limit         | number | months    | ? | data+person | months until the combined size reaches the 409,600 bytes of an item at the declared growth, 0 where it has; missing where it does not grow
size.growth_percent_per_month | number | percent  | ? | person | declared growth
cardinality.many_to_many     | bool   |           |   | schema | one of the two relationships that a join table resolves; the child is that table
cardinality.one_to_one       | bool   |           |   | schema | the child's columns are unique
cardinality.self_reference   | bool   |           |   | schema | child and parent are one table
cardinality.child_is_parent  | bool   |           |   | schema | the child is itself the parent of another relationship
cardinality.declared         | bool   |           |   | schema | a foreign key is declared
transactions.cross_entity_per_day | number | transactions/day | ? | log | transactions writing both tables, 0 within one table; missing where the source tells no order of statements
transactions.locking         | bool   |           | ? | log  | a locking read (FOR UPDATE, FOR SHARE) occurs in a transaction using both tables; missing where the source tells no order of statements
transactions.rolled_back_share | number | share   | ? | log  | of the transactions using both tables, those rolled back; missing without such transactions
transactions.isolation       | text:read_uncommitted,read_committed,repeatable_read,serializable | | ? | server | the server's default isolation level; sessions may set another
patterns.planned_share       | number | share     | ? | log  | of the statements using either table, those in normal form
patterns.complexity_max      | number |           |   | log  | the highest complexity score of a pattern using both tables, 0 without one
keys.parent_top_share        | number | share     | ? | log  | the most frequent parent's share of all values given for the parent's key and the child's foreign key, in reads and writes; an upper bound for composite keys
time.minute_ratio            | number | ×         | ? | log  | calls in the busiest minute ÷ the mean minute; missing in logs of under five minutes
evolution.schema_changes     | number | statements | ? | log | CREATE, ALTER, DROP, RENAME and TRUNCATE in the logs; the digest keeps their number and not their tables, so it is an upper bound for these two; missing without a log
evolution.roadmap_declared   | bool   |           |   | person | the context tells the road map
cost.read_units_saved_per_day | number | units/day | ? | log+data | read units of the parent fetches that copies save: one fetch per joint call (eventually consistent)
cost.write_units_added_per_day | number | units/day | ? | log+data | write units that keeping the copies right takes
context.lifecycle            | text:early,growing,mature | | ? | person | stage of the application's life
context.team_expertise       | text:none,some,expert | | ? | person | the team's experience with DynamoDB
context.same_owner           | bool   |           | ? | person | both tables belong to one service or team
context.same_security_context | bool  |           | ? | person | both tables share a security context
context.analytics_required   | bool   |           | ? | person | flexible queries are needed
context.performance_critical | bool   |           | ? | person | latency matters for the application
context.latency_ms           | number | ms        | ? | person | the strictest declared p99 for either table
context.strong_consistency   | bool   |           | ? | person | both tables are declared to change together or be read strongly
[table]
table.name                   | text   |           |   | schema | the table's name, without its schema
table.engine                 | text   |           | ? | schema | the storage engine, as the DDL names it
table.charset                | text   |           | ? | schema | the default character set, as the DDL names it
table.owner                  | text   |           | ? | person | the service or team that owns the table
table.security_context       | text   |           | ? | person | the security context of the table
table.rows                   | number | rows      | ? | data | row count
table.rows_measured          | bool   |           |   | data | the row count was counted, not assumed
table.item_bytes_average     | number | bytes     | ? | data | average row as a flat item
table.item_bytes_max         | number | bytes     | ? | data | largest row as a flat item
table.has_primary_key        | bool   |           |   | schema | there is a primary key
table.primary_key_columns    | number | columns   |   | schema | columns of the primary key
table.columns                | number | columns   |   | schema | columns
table.column_names           | list   |           |   | schema | the names of the columns, in their order
table.column_types           | list   |           |   | schema | the different MySQL types of the columns, in lower case
table.unique_keys            | number | keys      |   | schema | unique keys beside the primary key
table.columns_to_transform   | list   |           |   | schema | columns of types that DynamoDB lacks: JSON, SET, ENUM, BIT, generated, spatial
table.growth_percent_per_month | number | percent | ? | person | declared growth
keys.cardinality             | number | values    | ? | data | distinct values of the first primary-key column, where they were counted
keys.least_index_cardinality | number | values    | ? | data | the fewest distinct values among the leading columns of the table's MySQL indexes, of those counted
keys.top_share               | number | share     | ? | log  | the most frequent primary key's share of all keys given, in reads and writes; an upper bound for composite keys
writes.per_day               | number | calls/day |   | log  | statements writing the table
reads.per_day                | number | calls/day |   | log  | statements reading the table
writes.peak_per_second       | number | calls/s   |   | log  | sum of the peak rates of the statements writing the table
writes.hot_key_per_second    | number | calls/s   | ? | log  | peak writes × the share of the key that is written most
time.minute_ratio            | number | ×         | ? | log  | calls in the busiest minute ÷ the mean minute; missing in logs of under five minutes
evolution.schema_changes     | number | statements | ? | log | CREATE, ALTER, DROP, RENAME and TRUNCATE in the logs; the digest keeps their number and not their tables, so it is an upper bound for this one; missing without a log
[pattern]
pattern.name                 | text   |           |   | log  | the readable name, as the reports show it
pattern.sql                  | text   |           |   | log  | the statement's template, each literal a ?
pattern.kind                 | text:select,insert,update,delete | | | log | the verb
pattern.calls                | number | calls     |   | log  | calls as logged
pattern.calls_per_day        | number | calls/day |   | log  | calls a day by what the log stands for
pattern.peak_per_second      | number | calls/s   |   | log  | most calls within one second; the average where the source tells no seconds
pattern.complexity           | number |           |   | log  | complexity score, 1 for one key look-up
pattern.unplanned            | list   |           |   | log  | reasons why the statement is outside the normal form
pattern.tables               | number | tables    |   | log  | different tables
pattern.table_names          | list   |           |   | log  | the ids of those tables
pattern.joins                | number | joins     |   | log  | joins
pattern.locking              | bool   |           |   | log  | FOR UPDATE or FOR SHARE
pattern.offset_calls         | number | calls     |   | log  | logged calls with a LIMIT offset
pattern.rows_examined_per_call | number | rows    | ? | log  | rows examined ÷ timed calls (slow log or performance_schema only)
pattern.rows_sent_per_call   | number | rows      | ? | log  | rows sent ÷ timed calls (slow log or performance_schema only)
pattern.p95_ms               | number | ms        | ? | log  | 95th percentile of the execution time in MySQL, to 2 % (slow log only)
pattern.p99_ms               | number | ms        | ? | log  | 99th percentile of the execution time in MySQL, to 2 % (slow log only)
keys.top_share               | number | share     | ? | log  | share of the calls that ask for the most wanted value, of the most selective placeholder
pattern.hot_key_per_second   | number | calls/s   | ? | log  | peak rate × the share of the most wanted value
time.minute_ratio            | number | ×         | ? | log  | calls in the busiest minute ÷ the mean minute; missing in logs of under five minutes
[alternative]
alternative.id               | text   |           |   | design | the alternative's id, such as `faithful`
alternative.write_amplification | number | ×      | ? | plans  | write units of the design ÷ those of writing each changed row once, without index, copy, look-up table and transaction
alternative.write_units_per_second | number | units/s | ? | plans | write units of an average second, by what the log stands for
alternative.index_write_share | number | share    | ? | plans  | share of the write units that maintain GSIs; missing without writes
alternative.gsis             | number | GSIs      | ? | design | GSIs of all tables
alternative.max_gsis_per_table | number | GSIs    | ? | design | most GSIs that one table has
alternative.composed_keys    | number | keys      | ? | design | key attributes composed of several columns, or prefixed
alternative.copies           | number | attributes | ? | design | attributes copied from another entity
alternative.tables           | number | tables    | ? | design | DynamoDB tables, look-up tables apart
alternative.lookup_tables    | number | tables    | ? | design | look-up tables for unique constraints
alternative.operational_score | number | places   | ? | design | places to look when a value is wrong: composed keys + copied attributes + look-up tables + GSIs + access patterns that carry changes to copies
item.bytes_average           | number | bytes     | ? | design | average item of the table with the largest items
item.bytes_max               | number | bytes     | ? | design | largest row of the tables as a flat item, copies apart
[index]
index.name                   | text   |           |   | design | the GSI's name
index.table                  | text   |           |   | design | the DynamoDB table that it belongs to
index.partition_cardinality  | number | values    | ? | design | distinct values of the partition key: counted, else assumed from the rows
index.top_share              | number | share     | ? | design | share of the entries that the most frequent partition key has; an upper bound for one of several attributes
index.write_share            | number | share     | ? | plans  | of the writes of the base table, those that write the index
index.peak_writes_per_second | number | units/s   | ? | plans  | sum of the peak rates of the statements that write the index, one unit each: a lower bound
index.entry_bytes            | number | bytes     | ? | design | average bytes of an index entry
index.projected_attributes   | number | attributes | ? | design | attributes beyond the keys of table and index that it repeats
index.projection_share       | number | share     | ? | design | bytes of an index entry ÷ bytes of the item
index.name_generic           | bool   |           | ? | design | the name says nothing of the access pattern (GSI1)
item.bytes_average           | number | bytes     | ? | design | average item of the base table
item.bytes_max               | number | bytes     | ? | design | largest row of the base table as a flat item, copies apart
[validation]
validation.mismatched_patterns | number | patterns | ? | proof | access patterns whose result differs from MySQL's
validation.capacity_mismatches | number | patterns | ? | proof | access patterns whose consumed units differ from the predicted
validation.load_rejects      | number | rows      | ? | proof | rows that could not be loaded through the contract
validation.racing_writes     | number | patterns  | ? | proof | access patterns, and pairs of them, of which two clients at once, or one that stops between two calls, leave data that no order of them leaves
validation.repeated_writes   | number | patterns  | ? | proof | access patterns that change the data twice where one of their calls arrives twice
validation.lagging_writes    | number | patterns  | ? | proof | access patterns, and pairs of them, that leave data that no order of the writers leaves where a GSI has not yet followed the write before
validation.stale_index_reads | number | reads     | ? | proof | reads through a GSI that the logs show on one connection within a second of a write, and that answer otherwise until the GSI has followed it
validation.throttled_share   | number | share     | ? | proof | calls throttled ÷ calls, of the access pattern with most, simulated at the traffic of the logs
validation.throttled_share_10x | number | share   | ? | proof | the same at ten times that traffic
validation.throttled_by      | text   |           | ? | proof | the table or GSI that throttled most calls, at ten times the traffic where it does; missing where none does
validation.hot_key_limit_share | number | ×       | ? | proof | what is asked of the hottest key of that table or GSI ÷ what one partition serves, at that traffic; 0 where no key stands out
validation.cascade_share     | number | share     | ? | proof | writes of a table that a GSI refused ÷ calls of the access patterns that make them, of the GSI with most, simulated at the traffic of the logs
validation.cascade_share_10x | number | share     | ? | proof | the same at ten times that traffic
validation.cascade_by        | text   |           | ? | proof | the GSI that refused most writes of its table, at ten times the traffic where it does; missing where none does
[waiver]
waiver.days_left             | number | days      |   | waivers | days until the waiver's last day, negative when it is past
waiver.findings              | number | findings  | ? | waivers | findings of the run that the waiver is about, 0 for an unused one; missing where the rule had nothing to look at
waiver.evidence_worse        | bool   |           |   | waivers | a fact that was accepted has got worse
waiver.rule_known            | bool   |           |   | waivers | the waiver's rule is in force
"""  # noqa: E501 - one fact, one line


def _definitions() -> Iterator[FactDefinition]:
    phase = ""
    for line in _TABLE.strip().splitlines():
        if line.startswith("["):
            phase = line.strip("[]")
        else:
            name, kind, unit, missing, measured, meaning = (cell.strip() for cell in line.split("|"))
            kind, _, values = kind.partition(":")
            yield FactDefinition.model_validate({
                "name": name, "applies_to": phase, "kind": kind, "unit": unit, "may_be_missing": missing == "?",
                "values": tuple(values.split(",")) if values else (), "meaning": meaning,
                "measured": _MEASURED[measured],
            })  # fmt: skip


CATALOGUE: tuple[FactDefinition, ...] = tuple(_definitions())
"""Every fact, in the order in which they are published."""

BY_PHASE: Mapping[Phase, Mapping[str, FactDefinition]] = {
    phase: {fact.name: fact for fact in CATALOGUE if fact.applies_to == phase} for phase in PHASES
}
