CREATE OR REPLACE USER root@'{host}' IDENTIFIED BY '{password}';
GRANT ALL ON *.* TO root@'{host}' WITH GRANT OPTION;
