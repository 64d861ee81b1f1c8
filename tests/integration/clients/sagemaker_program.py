"""boto3's SageMaker runtime: `python sagemaker_program.py <port>`."""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

runtime = boto3.client(
    "sagemaker-runtime",
    endpoint_url=f"http://127.0.0.1:{sys.argv[1]}",
    region_name="local",
    aws_access_key_id="-",
    aws_secret_access_key="-",
    config=Config(retries={"total_max_attempts": 1}, proxies={}),
)


def status(endpoint: str, body: str) -> int:
    try:
        answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=body)
    except ClientError as error:
        answer = error.response
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


rows = "5,north,3\n35,,4\n"
answer = runtime.invoke_endpoint(
    EndpointName="demo", ContentType="text/csv", Accept="text/csv", InferenceId="mine", Body=rows
)
seen = {
    "body": answer["Body"].read().decode(),
    "type": answer["ContentType"],
    "variant": answer["InvokedProductionVariant"],
    "id": answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-sagemaker-inference-id"],
    "another endpoint": status("other", rows),
    "too few values": status("demo", "1,2\n"),
}
print(json.dumps(seen))
