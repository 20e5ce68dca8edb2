CREATE OR REPLACE USER reader@'{host}' IDENTIFIED BY '{password}';
GRANT SELECT ON stores.* TO reader@'{host}';
