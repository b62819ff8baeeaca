-- Every column on one line with what must be understood of it, as `-- name: fields`.
CREATE TABLE `types` (
  id SERIAL, -- {"type": "bigint", "unsigned": true, "nullable": false, "auto_increment": true}
  `rate` FLOAT UNSIGNED NOT NULL, -- {"type": "float", "unsigned": true, "nullable": false}
  f2 float(30), -- {"type": "double"}
  f3 float(7,4) zerofill, -- {"type": "float", "precision": 7, "scale": 4, "unsigned": true}
  d1 double precision default -1.5e3, -- {"type": "double", "default": "-1.5e3"}
  d2 REAL UNSIGNED, -- {"type": "double", "unsigned": true}
  n1 INTEGER(10) UNSIGNED ZEROFILL NOT NULL DEFAULT '0000000000', -- {"type": "int", "length": 10, "unsigned": true, "nullable": false, "default": "0000000000"}
  n2 bool NOT NULL DEFAULT TRUE, -- {"type": "tinyint", "length": 1, "nullable": false, "default": "TRUE"}
  n3 dec, -- {"type": "decimal", "precision": 10, "scale": 0}
  n4 numeric(12,2) unsigned DEFAULT NULL, -- {"type": "decimal", "precision": 12, "scale": 2, "unsigned": true}
  n5 int8, -- {"type": "bigint"}
  c1 character varying(20) character set latin1 collate latin1_bin default 'it''s', -- {"type": "varchar", "length": 20, "charset": "latin1", "collation": "latin1_bin", "default": "it's"}
  c2 national varchar(3), -- {"type": "varchar", "length": 3, "charset": "utf8mb3"}
  c3 char, -- {"type": "char", "length": 1}
  c4 char(4) byte, -- {"type": "binary", "length": 4}
  c5 varchar(9) binary, -- {"type": "varchar", "length": 9, "collation": "utf8mb4_bin"}
  c6 varchar(9) /*!40101 character set ascii */ comment 'a ''quoted'', comment', -- {"type": "varchar", "length": 9, "charset": "ascii", "comment": "a 'quoted', comment"}
  c7 long varchar, -- {"type": "mediumtext"}
  c8 longtext CHECK (json_valid(`c8`)), -- {"type": "json"}
  e1 enum('a','b,c)','d''e') NOT NULL DEFAULT 'a', -- {"type": "enum", "values": ["a", "b,c)", "d'e"], "nullable": false, "default": "a"}
  e2 set('x','y'), -- {"type": "set", "values": ["x", "y"]}
  b1 bit(3) NOT NULL DEFAULT b'101', -- {"type": "bit", "length": 3, "nullable": false, "default": "b'101'"}
  t1 timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), -- {"type": "timestamp", "precision": 3, "default": "CURRENT_TIMESTAMP(3)"}
  t2 year(4), -- {"type": "year", "length": 4}
  g1 int GENERATED ALWAYS AS ((`n5` + 1)) VIRTUAL NOT NULL, -- {"type": "int", "generated": "(`n5` + 1)", "nullable": false}
  g2 varchar(5) AS (concat(c3, ',')) STORED, -- {"type": "varchar", "length": 5, "generated": "concat(c3, ',')"}
  j1 json DEFAULT (json_array()), -- {"type": "json", "default": "json_array()"}
  p1 point NOT NULL /*!80003 SRID 4326 */, -- {"type": "point", "nullable": false}
  i1 int /*!80023 INVISIBLE */ DEFAULT '1', -- {"type": "int", "default": "1"}
  s1 int COLUMN_FORMAT FIXED STORAGE DISK, -- {"type": "int"}
  k1 int CONSTRAINT positive CHECK (k1 > 0) NOT ENFORCED NULL, -- {"type": "int"}
  v1 vector(3), -- {"type": "vector", "length": 3}
  u1 inet6 -- {"type": "inet6"}
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
