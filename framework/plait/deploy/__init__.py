"""From a spec to what runs it on AWS."""
