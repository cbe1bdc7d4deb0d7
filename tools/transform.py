"""Prints template.yaml as CloudFormation sees it: after the SAM transform.

What SAM makes of a template (the authorizer's cache, the permissions, the stage) is where mistakes hide, so that is what
cfn-lint and the tests read. Usage: transform.py [TEMPLATE] [Parameter=value ...] > transformed.json
"""

import json
import logging
import os
import sys

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.public.sdk.resource import SamResourceType
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

FUNCTION = SamResourceType.Function.value


def transform(template, parameters):
    """The CloudFormation template that `template` stands for; code that is not built yet is a placeholder in S3."""
    for resource in template["Resources"].values():
        if resource["Type"] == FUNCTION:
            resource["Properties"]["CodeUri"] = "s3://placeholder/bootstrap.zip"
    # No AWS-managed policy is named in the template, so that there is none to look up in an account.
    return Translator({}, Parser()).translate(template, parameters)


def main(arguments):
    logging.disable(logging.WARNING)  # about SAM's own feature switches
    path = next((a for a in arguments if "=" not in a), "template.yaml")
    parameters = dict(a.split("=", 1) for a in arguments if "=" in a)
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")  # the transform asks for one and reaches out to none
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    try:
        json.dump(transform(template, parameters), sys.stdout, indent=2)
    except InvalidDocumentException as error:
        sys.exit("\n".join(cause.message for cause in error.causes))


if __name__ == "__main__":
    main(sys.argv[1:])
