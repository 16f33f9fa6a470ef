/** Stands in for packages that a bundle names but never uses. Truthy on purpose: the importer tests for presence. */
module.exports = {};
