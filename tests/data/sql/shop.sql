CREATE OR REPLACE DATABASE shop;
CREATE TABLE shop.stores (id INT PRIMARY KEY, name VARCHAR(40), `odd%name` INT) CHARSET utf8mb4;
INSERT INTO shop.stores VALUES (1, 'Añil ☂', 5), (2, 'O''Hara', 6);
CREATE TABLE shop.prices (store INT, sku VARCHAR(9), price DECIMAL(30,10));
INSERT INTO shop.prices VALUES (1, 'a', 1.5), (1, 'b', 2.5), (2, 'a', 3.5);
CREATE OR REPLACE USER clerk@'%' IDENTIFIED BY 'canary-secret-old';
GRANT SELECT ON shop.* TO clerk@'%';
GRANT ALL ON shop.* TO writer@'%' IDENTIFIED BY 'canary-secret-old';
