"""De-identification at the site, deny by default: what `rules.json` does not list is removed. No Django, no server.

    rules, keys = read_rules(), SiteKeys(secret)
    cleaned = deidentify(data, keys=keys, rules=rules, report=Report())

See docs/deidentification.md."""
