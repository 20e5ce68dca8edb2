CREATE OR REPLACE DATABASE queries CHARACTER SET utf8mb4;
CREATE TABLE queries.texts (k MEDIUMTEXT, n INT);
INSERT INTO queries.texts VALUES ('a', 1), ('b', 2), ('b', 3), ('c', 4), ('c', 5), ('c', 6), ('d', 7);
CREATE TABLE queries.floats (k INT, f FLOAT, g FLOAT(7,3), n INT);
INSERT INTO queries.floats VALUES (1, 16777217, 1234.567, 5), (2, 0.1, 1, NULL), (3, NULL, NULL, NULL),
  (4, 3.4028234e38, NULL, NULL), (5, 1.17549435e-38, NULL, NULL), (6, 8388609, NULL, NULL), (7, 1e-45, NULL, NULL);
CREATE VIEW queries.slow AS SELECT 1 AS k, SLEEP(9) AS v;
