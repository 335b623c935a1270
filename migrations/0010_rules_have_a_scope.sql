-- An "always" without a scope let every call of its tool pass. There is none any more: such calls ask again.
DELETE FROM cowork_web_rules WHERE scope = '';
